// libcurl for Swift: the headers, and what a variadic or macro-shaped API keeps from it.
#pragma once

// CURL, CURLM and CURLSH become three distinct pointer types.
#define CURL_STRICTER 1
#define CURL_DISABLE_TYPECHECK 1
#define CURL_DISABLE_DEPRECATION 1
#include <curl/curl.h>
#include <sys/socket.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "curl-lb needs the headers of libcurl 7.87 or newer (CURLOPT_QUICK_EXIT)"
#endif

// curl_easy_setopt(3), curl_easy_getinfo(3), curl_multi_setopt(3) and curl_share_setopt(3) are variadic, so Swift cannot
// call them. libcurl reads the variable argument as exactly one C type per option: long, curl_off_t, char *, void *, or one
// kind of function pointer. One shim for each type; never int, never bool.

/// For options documented as `long`.
static inline CURLcode lb_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
/// For options documented as `char *`; libcurl copies the string.
static inline CURLcode lb_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
/// For options documented as `void *`, `char *` buffers or `struct curl_slist *`: the caller keeps the memory alive.
static inline CURLcode lb_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
/// For CURLOPT_SHARE.
static inline CURLcode lb_easy_set_share(CURL *easy, CURLSH *share) {
    return curl_easy_setopt(easy, CURLOPT_SHARE, share);
}

static inline curl_socket_t lb_open_socket_callback(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}
/// Makes libcurl open its sockets with close-on-exec (CURLOPT_OPENSOCKETFUNCTION).
static inline CURLcode lb_easy_open_sockets_close_on_exec(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, lb_open_socket_callback);
}

/// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode lb_easy_set_write_callback(CURL *easy, CURLoption option, curl_write_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

/// For infos documented as `long *`; 0 when libcurl knows none.
static inline long lb_easy_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
/// For infos documented as `curl_off_t *`; 0 when libcurl knows none.
static inline curl_off_t lb_easy_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
/// CURLINFO_PRIVATE.
static inline void *lb_easy_get_private(CURL *easy) {
    char *value = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
    return value;
}
/// CURLINFO_ACTIVESOCKET; CURL_SOCKET_BAD when there is none.
static inline curl_socket_t lb_easy_get_active_socket(CURL *easy) {
    curl_socket_t value = CURL_SOCKET_BAD;
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &value) == CURLE_OK ? value : CURL_SOCKET_BAD;
}

/// For multi options documented as `long`.
static inline CURLMcode lb_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
/// CURLMOPT_SOCKETFUNCTION and CURLMOPT_SOCKETDATA.
static inline CURLMcode lb_multi_set_socket_callback(CURLM *multi, curl_socket_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback) : code;
}
/// CURLMOPT_TIMERFUNCTION and CURLMOPT_TIMERDATA.
static inline CURLMcode lb_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback) : code;
}
/// The result inside a CURLMSG_DONE message (a C union).
static inline CURLcode lb_message_result(const CURLMsg *message) { return message->data.result; }

/// Lets a share hold one thing, such as CURL_LOCK_DATA_CONNECT (CURLSHOPT_SHARE).
static inline CURLSHcode lb_share_hold(CURLSH *share, curl_lock_data data) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, data);
}

/// The length of CURLOPT_ERRORBUFFER.
enum { LB_CURL_ERROR_SIZE = CURL_ERROR_SIZE };

/// What libcurl says of itself (CURLVERSION_NOW is a macro that Swift does not see).
static inline const curl_version_info_data *lb_version_info(void) { return curl_version_info(CURLVERSION_NOW); }
