"""The tags of one account by id. Who carries them stands at the persons.

Source: wechat-api.md, section 10.2. The caller holds the platform's lock.
"""

from dataclasses import dataclass, field

from wechat.simulator.errors import ApiError

SYSTEM = {0: "未分组", 1: "黑名单", 2: "星标组"}
FIRST_ID = 100
MOST_TAGS = 100
LONGEST_NAME = 30  # characters


@dataclass
class Tags:
    """Names by id; the system's own tags are not among them."""

    names: dict[int, str] = field(default_factory=dict)
    made: int = 0

    def create(self, name: object) -> int:
        """A new tag. Raises ApiError 45056, 45157 or 45158."""
        checked = self._checked(name)
        if len(self.names) >= MOST_TAGS:
            raise ApiError(45056)
        number = FIRST_ID + self.made
        self.made += 1
        self.names[number] = checked
        return number

    def rename(self, number: object, name: object) -> None:
        """Another name. Raises ApiError 45058, 45157, 45158 or 45159."""
        known = self.own(number)
        if self.names[known] != name:
            self.names[known] = self._checked(name)

    def own(self, number: object) -> int:
        """An id that may be changed. Raises ApiError 45058 for a system tag, 45159 for an unknown one."""
        if number in SYSTEM:
            raise ApiError(45058)
        return self.known(number)

    def known(self, number: object) -> int:
        """An id that may be given to people; of the system's tags only the star. Raises ApiError 45159."""
        if not isinstance(number, int) or isinstance(number, bool) or (number not in self.names and number != 2):
            raise ApiError(45159)
        return number

    def _checked(self, name: object) -> str:
        if not isinstance(name, str) or not name.strip() or name in self.names.values() or name in SYSTEM.values():
            raise ApiError(45157)
        if len(name) > LONGEST_NAME:
            raise ApiError(45158)
        return name
