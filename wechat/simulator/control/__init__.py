"""The simulator's own REST API, for tests and for the phone page. JSON in and out; errors are 4xx with `{"error": …}`.

| Request | Does |
|---|---|
| GET /sim/api/ | lists these requests |
| GET /sim/api/state | accounts, persons, chosen person, faults, clock, counters, settings |
| GET /sim/api/changes | waits until the journal is past `since`, at most `wait` seconds |
| GET /sim/api/journal | entries by `kind`, `appid`, `openid`, `endpoint`, `since`, `limit` |
| GET /sim/api/messages | accepted customer-service messages, by `openid`, `appid`, `since`, `limit` |
| GET /sim/api/counters | token_fetches, fetch_peak, calls, messages, pushes, deliveries, each account's calls |
| GET /sim/api/accounts | the accounts with their settings and tokens |
| POST /sim/api/accounts | adds an account, or replaces the one of the same appid |
| PATCH /sim/api/accounts/<appid> | changes settings |
| POST /sim/api/accounts/<appid>/tokens | `action` expire (42001), revoke (40001) or forget (40014) |
| GET /sim/api/accounts/<appid>/quotas | what each path has used today |
| POST /sim/api/accounts/<appid>/quotas | sets the `daily` and `minute` limits of a `path` |
| POST /sim/api/accounts/<appid>/verify | checks the callback URL with a signed GET |
| GET /sim/api/accounts/<appid>/menus | the default menu, the conditional ones, the one of the website |
| PUT /sim/api/accounts/<appid>/website_menu | a menu made on the website |
| GET /sim/api/accounts/<appid>/templates | the templates for messages and for subscription notices |
| GET /sim/api/accounts/<appid>/sent | accepted template messages, by `template_id`, `limit`; who got several |
| GET /sim/api/accounts/<appid>/files | temporary and permanent files |
| GET /sim/api/accounts/<appid>/agents | agents and sessions |
| PUT /sim/api/accounts/<appid>/agents/<kf_account> | adds or changes an agent: nickname, online, bound |
| GET /sim/api/codes | the newest codes |
| GET /sim/api/framing | whether `url` may be shown in a frame |
| GET /sim/api/persons | all persons |
| POST /sim/api/persons | makes persons (`count`, or one with `openid`, `nickname`, `avatar`, `follows`) |
| POST /sim/api/followers | makes `count` invented followers at once, with `tags` |
| PATCH /sim/api/persons/<openid> | changes nickname, follows, muted, tags, client, job_status and so on; no push |
| GET /sim/api/persons/<openid>/chat | the person, the chat, the menu, the open windows |
| PUT /sim/api/chosen | the person whose phone is in hand |
| POST /sim/api/actions/<action> | scan follow text click and so on; an unknown one lists all |
| POST /sim/api/scans | scans many codes by many persons, for load tests |
| GET /sim/api/faults | the faults in force and all kinds there are |
| POST /sim/api/faults | sets a fault |
| DELETE /sim/api/faults | clears all faults |
| DELETE /sim/api/faults/<id> | clears one |
| GET /sim/api/latencies | how long calls take, by path |
| PUT /sim/api/latencies | lets calls of `path` take `seconds` |
| GET /sim/api/clock | the simulator's time |
| POST /sim/api/clock | sets `offset` or adds `advance` seconds |
| PATCH /sim/api/settings | push_timeout push_pause push_repeats code_seconds_default clamp_code_seconds job_seconds … |
| POST /sim/api/listener | refuses connections for `seconds` |
| POST /sim/api/reset | forgets everything but the accounts |
"""
