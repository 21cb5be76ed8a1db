"""A real Prometheus scrapes the running program, with the alert rules that come with it."""
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from harness import FOLDER, LISTEN, ROOT, Missing, balancer, origins, start, wait_for

ADMIN = 5193
PROMETHEUS = 5194
CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: curl-lb
    static_configs: [{{targets: ["127.0.0.1:{admin}"]}}]
"""


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is not installed; on Debian: apt-get install prometheus")
    return path


def query(expression):
    """The value of an expression that has one; None as long as it has none."""
    url = f"http://127.0.0.1:{PROMETHEUS}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(url) as answer:
        result = json.load(answer)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def trial_scraping():
    """promtool has nothing to say about what the program exposes and the rules; Prometheus scrapes what clients have had (needs prometheus)"""
    promtool, prometheus = tool("promtool"), tool("prometheus")
    rules = os.path.join(ROOT, "deploy", "prometheus", "alerts.yml")
    origins()
    balancer(LB_ADMIN=f"127.0.0.1:{ADMIN}", LB_ACCESS_LOG="off")
    wait_for(ADMIN)
    for number in range(30):
        urllib.request.urlopen(f"http://127.0.0.1:{LISTEN}/bytes/{number}").read()
    with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN}/metrics") as answer:
        exposition = answer.read()
    said = subprocess.run([promtool, "check", "metrics"], input=exposition, capture_output=True)
    words = (said.stdout + said.stderr).decode().strip()
    print(f"  {len(exposition.splitlines())} lines; promtool: {words or 'nothing'}")
    ruled = subprocess.run([promtool, "check", "rules", rules], capture_output=True, text=True)
    print(f"  rules: {ruled.stdout.split(chr(10))[1].strip() if ruled.returncode == 0 else ruled.stdout + ruled.stderr}")

    configuration = os.path.join(FOLDER, "prometheus.yml")
    with open(configuration, "w") as file:
        file.write(CONFIGURATION.format(rules=rules, admin=ADMIN))
    start(
        [
            prometheus, f"--config.file={configuration}", f"--storage.tsdb.path={os.path.join(FOLDER, 'prometheus')}",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=open(os.path.join(FOLDER, "prometheus.log"), "w"),
    )
    wait_for(PROMETHEUS)
    wanted = {
        'up{job="curl-lb"}': 1,
        'sum(curl_lb_client_requests_total{code="2xx"})': 30,
        "sum(curl_lb_backend_attempts_total)": 30,
        "count(curl_lb_backend_up == 1)": 3,
        "count(curl_lb_backend_request_duration_seconds_count)": 3,
    }
    seen = {}
    end = time.monotonic() + 30
    while seen != wanted and time.monotonic() < end:
        time.sleep(0.5)
        seen = {expression: query(expression) for expression in wanted}
    for expression, value in seen.items():
        print(f"  {expression} = {value:g}" if value is not None else f"  {expression} has no value")
    firing = query('count(ALERTS{alertstate="firing"})')
    print(f"  alerts that fire: {firing or 0:g}")
    return said.returncode == 0 and not words and ruled.returncode == 0 and seen == wanted and not firing
