"""All requests of the control API, ready to be matched."""

from wechat.simulator.control import actions, content, load, misbehaviour, people, watching, world
from wechat.simulator.control.routing import build_map

TOPICS = (world, content, people, actions, watching, misbehaviour, load)  # importing a topic registers its requests
RULES = build_map()
