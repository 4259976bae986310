"""Plays WeChat on this machine: the platform's API, its pushes, and a phone in the browser. For development and tests.

Imports nothing of the product but `wechat.crypto`, and the product never imports it. Reading order: `accounts`,
`clock`, `tokens`, `windows`, `quotas`, `grants`, `journal`, `faults` (the state) · `state` (all of it, one lock) ·
`calls`, `calls_faulty`, `endpoints/`, `api` (the API) · `envelopes`, `replies`, `pushes` (what goes to the callback
URL) · `phone` (what persons do) · `control/` (REST) · `phrases`, `framing`, `pages` (the browser) · `server`.
"""
