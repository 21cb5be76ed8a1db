#!/usr/bin/env python3
"""A Flask origin in a few lines: `python3 backends/flask/app.py --name one --port 5001`."""

import argparse
import os

from flask import Flask, request

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="flask")
parser.add_argument("--port", type=int, default=5001)
parser.add_argument("--host", default="127.0.0.1")
arguments = parser.parse_args()

app = Flask(__name__)


@app.get("/")
def who_answered():
    return {"name": arguments.name, "port": arguments.port, "pid": os.getpid()}


@app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo():
    return {
        "name": arguments.name,
        "method": request.method,
        "target": request.full_path.rstrip("?"),
        "headers": dict(request.headers),
        "body": request.get_data(as_text=True),
    }


if __name__ == "__main__":
    app.run(host=arguments.host, port=arguments.port)
