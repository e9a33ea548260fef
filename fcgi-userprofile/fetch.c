#include "fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a transfer's bytes go. */
struct sink {
    struct igw_buf *body;
    size_t max_bytes;
    bool is_too_long;
};

static const char *url_fault(CURLU *parts);
static bool is_loopback(const char *host);
static bool set_up(CURL *curl, const struct fetch *fetch, struct sink *sink);
static size_t receive(char *data, size_t size, size_t count, void *to);
static int is_over(void *arg, curl_off_t total, curl_off_t now,
                   curl_off_t up_total, curl_off_t up_now);
static int64_t max_age(CURL *curl);
static void explain(CURL *curl, CURLcode code, const struct sink *sink,
                    const char *message, char why[FETCH_WHY_SIZE]);

enum igw_result
fetch_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? IGW_OK
                                                             : IGW_ERROR;
}

enum igw_result
fetch_check_url(const char *url, char why[FETCH_WHY_SIZE])
{
    CURLU *parts = curl_url();
    const char *fault = "out of memory";

    if (parts != NULL) {
        fault = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK
                    ? url_fault(parts)
                    : "no absolute URL";
    }
    curl_url_cleanup(parts);
    if (fault == NULL) {
        return IGW_OK;
    }
    (void)snprintf(why, FETCH_WHY_SIZE, "%s", fault);
    return IGW_INVALID;
}

static const char *
url_fault(CURLU *parts)
{
    const char *fault = NULL;
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;

    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK
        || curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        fault = "no absolute URL";
    } else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        fault = "credentials do not belong in it";
    } else if (strcmp(scheme, "http") == 0) {
        fault = is_loopback(host)
                    ? NULL
                    : "http is for this machine alone: use https, or "
                      "localhost, 127.0.0.1 or [::1]";
    } else if (strcmp(scheme, "https") != 0) {
        fault = "neither https nor http";
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return fault;
}

/* libcurl never asks a name server for localhost. */
static bool
is_loopback(const char *host)
{
    struct in_addr address;

    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0
           || (inet_pton(AF_INET, host, &address) == 1
               && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

enum igw_result
fetch_get(const struct fetch *fetch, struct igw_buf *body, int64_t *max_age_sec,
          char why[FETCH_WHY_SIZE])
{
    char message[CURL_ERROR_SIZE] = "";
    struct sink sink = { .body = body, .max_bytes = fetch->max_bytes };
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    if (curl != NULL && set_up(curl, fetch, &sink)
        && curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message) == CURLE_OK) {
        code = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK || status != 200) {
        explain(curl, code, &sink, message, why);
    } else {
        *max_age_sec = max_age(curl);
    }
    curl_easy_cleanup(curl);
    return code == CURLE_OK && status == 200 ? IGW_OK : IGW_UNAVAILABLE;
}

static bool
set_up(CURL *curl, const struct fetch *fetch, struct sink *sink)
{
    bool is_plain = strncasecmp(fetch->url, "http:", 5) == 0;
    void *stopped = (void *)(uintptr_t)fetch->is_stopped;

#define SET(option, value) \
    (curl_easy_setopt(curl, CURLOPT_##option, value) == CURLE_OK)
    return SET(URL, fetch->url) && SET(PROTOCOLS_STR, "http,https")
           && SET(FOLLOWLOCATION, 0L) && SET(NOSIGNAL, 1L)
           && SET(HTTP_VERSION, CURL_HTTP_VERSION_1_1)
           && SET(USERAGENT, "userprofile/" IGW_VERSION)
           && SET(TIMEOUT_MS, (long)fetch->timeout_ms)
           && SET(WRITEFUNCTION, receive) && SET(WRITEDATA, sink)
           && SET(NOPROGRESS, 0L) && SET(XFERINFOFUNCTION, is_over)
           && SET(XFERINFODATA, stopped)
           /* What is for this machine does not go to a proxy. */
           && (!is_plain || SET(PROXY, ""))
           && (fetch->ca_file[0] == '\0'
               || (SET(CAINFO, fetch->ca_file) && SET(CAPATH, NULL)));
#undef SET
}

static size_t
receive(char *data, size_t size, size_t count, void *to)
{
    struct sink *sink = to;
    size_t len = size * count;

    if (len > sink->max_bytes - sink->body->len) {
        sink->is_too_long = true;
        return 0;
    }
    igw_buf_append(sink->body, data, len);
    return sink->body->failed ? 0 : len;
}

static int
is_over(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total,
        curl_off_t up_now)
{
    const atomic_bool *is_stopped = arg;

    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return atomic_load(is_stopped) ? 1 : 0;
}

/* RFC 9111 5.2.2.1; a number too large is a very large one. */
static int64_t
max_age(CURL *curl)
{
    static const char name[] = "max-age=";
    struct curl_header *header;
    const char *value;

    if (curl_easy_header(curl, "Cache-Control", 0, CURLH_HEADER, -1, &header)
        != CURLHE_OK) {
        return -1;
    }
    value = strcasestr(header->value, name);
    if (value == NULL || value[strlen(name)] < '0'
        || value[strlen(name)] > '9') {
        return -1;
    }
    return strtoll(value + strlen(name), NULL, 10);
}

static void
explain(CURL *curl, CURLcode code, const struct sink *sink, const char *message,
        char why[FETCH_WHY_SIZE])
{
    long status = 0;

    if (sink->is_too_long) {
        (void)snprintf(why, FETCH_WHY_SIZE, "longer than %zu bytes",
                       sink->max_bytes);
    } else if (code != CURLE_OK) {
        (void)snprintf(why, FETCH_WHY_SIZE, "%s",
                       message[0] != '\0' ? message : curl_easy_strerror(code));
    } else {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        (void)snprintf(why, FETCH_WHY_SIZE, "answered %ld%s", status,
                       status / 100 == 3 ? "; redirects are not followed" : "");
    }
}
