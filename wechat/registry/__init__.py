"""The registry of configuration rows: every conf_name, by the group that staff find it under. One module per topic."""

from collections.abc import Mapping

from wechat.registry import connection, retention, texts, web
from wechat.registry.connection import CONNECTION, moment
from wechat.registry.retention import RETENTION
from wechat.registry.row import Row, is_link
from wechat.registry.texts import CARD, SHARING, TEXTS
from wechat.registry.web import WEB

__all__ = ["CARD", "CONNECTION", "RETENTION", "ROWS", "SHARING", "TEXTS", "WEB", "Row", "is_link", "moment"]

ROWS: Mapping[str, Row] = {row.name: row for row in (*connection.ROWS, *texts.ROWS, *web.ROWS, *retention.ROWS)}
