#include <time.h>

#include "app.h"
#include "client.h"
#include "handlers.h"
#include "log.h"
#include "problem.h"
#include "rules.h"
#include "text.h"
#include "token.h"

enum { JTI_RANDOM_BYTES = 16, HEADERS_BYTES = 1024, BODY_BYTES = 128 };

/*
 * Unique is all that it has to be (RFC 7519 4.1.7): a thread draws its own
 * beginning and counts from there.
 */
static enum igw_result
new_jti(struct igw_buf *out)
{
    static _Thread_local struct {
        unsigned char random[JTI_RANDOM_BYTES];
        uint64_t count;
    } jti;
    enum igw_result rc;

    if (jti.count == 0) {
        rc = igw_random(jti.random, sizeof(jti.random));
        if (rc != IGW_OK) {
            return rc;
        }
    }
    jti.count++;
    igw_base64url_encode(&jti, sizeof(jti), out);
    return out->failed ? IGW_ERROR : IGW_OK;
}

static enum igw_result
sign(const struct app *app, const struct igw_key *key,
     const struct account *account, const struct session_hash *hash,
     const struct rules_times *times, struct igw_buf *token)
{
    char sid[SESSION_SID_LEN + 1];
    struct igw_slice groups[APP_GROUPS_MAX];
    struct igw_buf jti;
    struct igw_claims claims = {
        .iss = igw_slice_of(app->settings->issuer),
        .aud = igw_slice_of(app->settings->audience),
        .sub = igw_slice_of(account->id),
        .preferred_username = igw_slice_of(account->username),
        .email = igw_slice_of(account->email),
        .email_verified = account->email_verified,
        .given_name = igw_slice_of(account->first_name),
        .family_name = igw_slice_of(account->last_name),
        .groups = groups,
        .group_count = app_groups(account->groups, groups),
        .iat = times->issued_at,
        .nbf = times->issued_at,
        .exp = times->expires_at,
    };
    enum igw_result rc;

    igw_buf_init(&jti);
    rc = new_jti(&jti);
    if (rc == IGW_OK) {
        session_sid(hash, sid);
        claims.sid = igw_slice_of(sid);
        claims.jti = igw_buf_slice(&jti);
        rc = igw_token_sign(key, &claims, token);
    }
    igw_buf_clear(&jti);
    return rc;
}

static void
put_headers(struct igw_call *call, const struct live_session *session,
            const struct rules_times *times, const struct igw_buf *bearer)
{
    const struct account *account = &session->account;
    struct igw_response *response = call->response;

    (void)igw_buf_reserve(&response->headers, bearer->len + HEADERS_BYTES);
    igw_response_header(response, "Authorization", igw_buf_slice(bearer));
    igw_response_header(response, "X-User", igw_slice_of(account->username));
    igw_response_header(response, "X-Email", igw_slice_of(account->email));
    igw_response_header(response, "X-First-Name",
                        igw_slice_of(account->first_name));
    igw_response_header(response, "X-Groups", igw_slice_of(account->groups));
    igw_response_header(response, "Identgw-Epoch",
                        igw_slice_of(session->epoch));
    igw_response_headerf(response, "X-Accel-Expires", "%lld",
                         (long long)times->cache_sec);
    igw_response_header(response, "Cache-Control", igw_slice_of("no-store"));
}

/* By hand, for it is asked all the time: a token has nothing to be escaped. */
static void
put_body(struct igw_call *call, const struct rules_times *times,
         struct igw_slice token)
{
    struct igw_response *response = call->response;
    struct igw_buf *body = &response->body;

    igw_response_text(response, 200, "application/json", igw_slice_of(""));
    (void)igw_buf_reserve(body, token.len + BODY_BYTES);
    igw_buf_puts(body, "{\"token\":\"");
    igw_buf_append(body, token.data, token.len);
    igw_buf_printf(body, "\",\"token_type\":\"Bearer\",\"expires_in\":%lld}",
                   (long long)(times->expires_at - times->issued_at));
}

static struct rules_times
times_of(const struct app *app, const struct signing_key *signing,
         const struct live_session *session)
{
    int64_t ttl_ms = app->settings->token_ttl_ms;

    if (ttl_ms > signing->token_ttl_ms) {
        ttl_ms = signing->token_ttl_ms;
    }
    return rules_token_times(time(NULL), ttl_ms, session->left_ms,
                             app->limits.idle_ms);
}

static enum igw_result
answer(struct igw_call *call, const struct signing_key *signing,
       const struct live_session *session, const struct session_hash *hash)
{
    static const char scheme[] = "Bearer ";
    const struct app *app = call->app;
    const struct rules_times times = times_of(app, signing, session);
    struct igw_slice token;
    struct igw_buf bearer;
    enum igw_result rc;

    igw_buf_init(&bearer);
    igw_buf_puts(&bearer, scheme);
    rc = sign(app, signing->key, &session->account, hash, &times, &bearer);
    if (rc == IGW_OK) {
        token = igw_buf_slice(&bearer);
        token.data += sizeof(scheme) - 1;
        token.len -= sizeof(scheme) - 1;
        put_headers(call, session, &times, &bearer);
        put_body(call, &times, token);
    }
    igw_buf_clear(&bearer);
    return rc;
}

static enum igw_result
authenticate(struct igw_call *call, struct igw_slice id)
{
    const struct app *app = call->app;
    struct session_hash hash;
    struct live_session session;
    struct signing_key signing;
    enum igw_result rc;

    rc = session_hash(id, &hash);
    if (rc != IGW_OK) {
        return rc;
    }
    rc = store_find_session(call->pg, &hash, app->limits.idle_ms,
                            app->touch_after_ms, &session);
    if (rc != IGW_OK) {
        return rc;
    }
    igw_log_user(session.account.id);
    if (app->heartbeat != NULL && !heartbeat_is_there(app->heartbeat)) {
        account_clear(&session.account);
        return IGW_UNAVAILABLE;
    }
    rc = keys_borrow(app->keys, &signing);
    if (rc == IGW_OK) {
        rc = answer(call, &signing, &session, &hash);
        keys_return(app->keys, &signing);
    }
    if (rc == IGW_OK && session.use_is_to_record) {
        touch_note(app->touch, &hash);
    }
    account_clear(&session.account);
    return rc;
}

void
authenticate_get(struct igw_call *call)
{
    struct igw_slice id = client_session(call);
    enum igw_result rc = IGW_NOT_FOUND;

    if (id.len > 0) {
        rc = authenticate(call, id);
    }
    if (rc == IGW_NOT_FOUND) {
        client_refuse(call);
    } else if (rc != IGW_OK) {
        igw_problem_result(call, rc);
    }
}
