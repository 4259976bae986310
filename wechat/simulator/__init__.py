"""Plays WeChat on this machine: the platform's API, its pushes, and a phone in the browser. For development and tests.

Imports nothing of the product but `wechat.crypto`, and the product never imports it. Reading order: `clock`, `errors`,
`tokens`, `windows`, `quotas`, `tags`, `menus`, `library` (files), `template_library`, `templates`, `subscriptions`,
`desk` (agents), `accounts`, `grants`, `journal`, `rids`, `faults` (the state) · `state` (all of it, one lock) · `calls`,
`calls_faulty`, `endpoints/`, `api` (the API) · `envelopes`, `replies`, `alarm`, `pushes`, `announcements` (what goes to
the callback URL) · `samples`, `hand`, `taps`, `consents`, `phone` (what persons do) · `control/` (REST) · `phrases`,
`framing`, `pages` (the browser) · `server`.
"""
