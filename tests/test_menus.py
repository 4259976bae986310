"""What a menu may be, what differs between two, what is worth a look; and its way to the platform and back."""

import json
from typing import Any

import pytest
from callback import APPID
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from wechat import linter, menu_differences, menu_lints, menu_publishing, menus, portable
from wechat.errors import PlatformError
from wechat.models import Account, Material, Menu, MenuVersion, Rule, Tag
from wechat.simulator.server import SimulatorServer


def click(name: str = "报价", key: str = "PRICE") -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}


def view(name: str = "官网", url: str = "https://example.com/") -> dict[str, Any]:
    return {"type": "view", "name": name, "url": url}


def group(*subs: dict[str, Any], name: str = "更多") -> dict[str, Any]:
    return {"name": name, "sub_button": list(subs)}


def of(*buttons: Any) -> dict[str, Any]:
    return {"button": list(buttons)}


FULL = of(click(), group(view(), click("活动😀", "活动")), click("联系客服", "KF"))


# What a menu may be.


def test_every_kind_of_button_is_taken_with_its_fields() -> None:
    values = {
        "key": "K",
        "url": "https://example.com/?a=1#b",
        "media_id": "M",
        "article_id": "A",
        "appid": "wx286b93c14bbf93aa",
        "pagepath": "pages/index/index",
    }
    for name, kind in menus.KINDS.items():
        button = {"type": name, "name": "名", **{field: values[field] for field in kind.fields}}
        assert menus.clean(of(button)) == of(button)
        for field in kind.fields:
            with pytest.raises(ValidationError):
                menus.clean(of({key: value for key, value in button.items() if key != field}))


def test_a_menu_comes_out_in_one_order_and_without_empty_lists() -> None:
    mixed = of({"sub_button": [], "key": "K", "name": "名", "type": "click"})
    assert json.dumps(menus.clean(mixed)) == json.dumps(of({"type": "click", "name": "名", "key": "K"}))
    assert menus.clean({}) == {"button": []}
    assert menus.clean(menus.read("")) == {"button": []}


@pytest.mark.parametrize(
    ("button", "size"),
    [
        (click("字" * 5 + "a"), 16),
        (click("一键", "k" * 128), 128),
        (view("长", "https://e.com/" + "a" * 1010), 1024),
    ],
)
def test_limits_count_bytes_up_to_the_last_one(button: dict[str, Any], size: int) -> None:
    field = max((name for name in button if name != "type"), key=lambda name: len(button[name].encode()))
    assert len(button[field].encode()) == size
    assert menus.clean(of(button))
    button[field] += "a"
    (found,) = menus.problems(of(button))
    assert (found.path, found.field) == ((0,), field)
    assert str(size + 1) in found.text
    assert str(size) in found.text


def test_a_name_below_may_have_sixty_bytes() -> None:
    assert menus.clean(of(group(click("字" * 20))))
    (found,) = menus.problems(of(group(click("好"), click("字" * 20 + "a"))))
    assert found.path == (0, 1)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        5,
        {"button": {}},
        {"button": "x"},
        {"button": None},
        {"buttons": []},
        {"button": [], "matchrule": {}},
        of(*[click()] * 4),
        of(5),
        of([]),
        of({}),
        of({"name": "名"}),
        of({"name": "名", "sub_button": []}),
        of(click(name="")),
        of(click(name="  ")),
        of({**click(), "name": 5}),
        of({**click(), "key": True}),
        of({**click(), "key": None}),
        of({**click(), "key": float("inf")}),
        of({**click(), "type": "clack"}),
        of({**click(), "type": ["click"]}),
        of({**click(), "extra": "x"}),
        of({**click(), "url": "https://example.com/"}),
        of(click(key="a\0b")),
        of(click(key="a\nb")),
        of(click(name="\u202e名")),
        of(click(key="\ud800")),
        of(group(*[click()] * 6)),
        of(group(group(click()))),
        of({**group(click()), "type": "click"}),
        of({"name": "名", "sub_button": {"0": click()}}),
        of(view(url="javascript:alert(1)")),
        of(view(url="JavaScript:alert(1)")),
        of(view(url="file:///etc/passwd")),
        of(view(url="data:text/html,x")),
        of(view(url="//example.com/")),
        of(view(url="https://")),
        of(view(url="https://[")),
        of(view(url="https://exa mple.com/")),
        of(view(url=" https://example.com/")),
        of({"type": "miniprogram", "name": "名", "appid": "1", "pagepath": "p", "url": "https://e.com/"}),
    ],
)
def test_what_cannot_be_a_menu_is_refused(document: Any) -> None:
    with pytest.raises(ValidationError):
        menus.clean(document)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"button": [', "1"),
        ('{\n  "button": x\n}', "2"),
        ('{"button": [], "button": []}', "button"),
        ('{"button": [{"name": 1e999}]}', "1e999"),
        ('{"button": NaN}', "NaN"),
        ('{"button": -Infinity}', "-Infinity"),
        ('{"a":' * 50 + "1" + "}" * 50, ""),
        ("[" * 100_000, ""),
        ('{"a": ' + "9" * 5000 + "}", ""),
        ('{"button": [' + " " * 10_000_000 + "]}", "KB"),
        ('{"button": [{"type": "click", "name": "\\ud800", "key": "k"}]}', ""),
        ('{"button": [{"type": "click", "name": "\\u0000", "key": "k"}]}', ""),
    ],
    ids=["open", "no value", "twice", "infinite", "nan", "minus", "50", "100000", "digits", "10 MB", "half", "nul"],
)
def test_what_another_reader_might_understand_differently_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        menus.clean(menus.read(text))
    assert told in " ".join(caught.value.messages)


def test_all_mistakes_are_told_at_once_each_with_its_place() -> None:
    document = of(click(name="字" * 6), group(view(url="file:///x"), click(key="")))
    assert [(one.path, one.field) for one in menus.problems(document)] == [
        ((0,), "name"),
        ((1, 0), "url"),
        ((1, 1), "key"),
    ]
    with pytest.raises(ValidationError) as caught:
        menus.clean(document)
    assert len(caught.value.messages) == 3


# What differs.


def states(live: Any, draft: Any) -> list[tuple[str, str]]:
    return [(row.state, (row.draft or row.live).name) for row in menu_differences.compare(live, draft)]  # type: ignore[union-attr]


def test_the_platforms_own_additions_are_no_difference() -> None:
    kept = of(*({**button, "sub_button": button.get("sub_button", []), "extra": 1} for button in FULL["button"]))
    kept["menuid"] = 208396938
    assert menu_differences.agree(kept, FULL)
    assert {state for state, _name in states(kept, FULL)} == {"same"}


def test_each_difference_is_named_once() -> None:
    live = of(click(), group(view(), click("旧的", "OLD")), view("关于"))
    draft = of(click(key="OTHER"), group(view(), click("新的", "OLD"), click("多的", "MORE")))
    assert states(live, draft) == [
        ("changed", "报价"),
        ("same", "更多"),
        ("same", "官网"),
        ("changed", "新的"),
        ("new", "多的"),
        ("gone", "关于"),
    ]
    changed = menu_differences.compare(live, draft)[0]
    assert changed.live
    assert [(value.text, value.differs) for value in changed.live.values] == [("PRICE", True)]


def test_a_conditional_menu_is_found_whether_its_number_is_a_number_or_a_text() -> None:
    for menuid in (208396993, "208396993"):
        answer = {"conditionalmenu": [{"menuid": 1}, {"menuid": menuid, "button": []}]}
        assert menu_differences.conditional(answer, "208396993") == {"menuid": menuid, "button": []}
    assert menu_differences.conditional({}, "1") is None
    assert menu_differences.conditional({"conditionalmenu": [{"button": []}]}, "") is None


def test_a_menu_of_the_website_becomes_one_of_the_api() -> None:
    articles = {"list": [{"title": "t", "content_url": "http://mp.weixin.qq.com/s/1"}]}
    subs = [
        view(),
        {"type": "news", "name": "案例", "value": "M1", "news_info": articles},
        {"type": "text", "name": "你好", "value": "您好" * 100},
        {"type": "img", "name": "图", "value": "M2"},
    ]
    info = {"is_menu_open": 1, "selfmenu_info": {"button": [{"name": "更多", "sub_button": {"list": subs}}]}}
    document, changed = menu_differences.from_website(info)
    assert changed == ["案例", "你好", "图"]
    found = menus.clean(document)["button"][0]["sub_button"]
    assert found[0] == view()
    assert found[1] == view("案例", "http://mp.weixin.qq.com/s/1")
    assert found[2]["type"] == "click"
    assert found[3] == {"type": "media_id", "name": "图", "media_id": "M2"}


@pytest.mark.parametrize("answer", [{}, {"selfmenu_info": None}, {"selfmenu_info": {"button": "x"}}, {"button": [1]}])
def test_an_odd_answer_of_the_platform_is_an_empty_menu(answer: dict[str, Any]) -> None:
    assert menu_differences.from_website(answer) == ({"button": []}, [])
    assert menu_differences.normalised(answer) == {"button": []}
    assert menu_differences.in_words(answer) == ""


# What is worth a look.


@pytest.fixture
def menu(account: Account) -> Menu:
    return Menu.objects.create(account=account, name="默认菜单", document=FULL)


def codes(menu: Menu, document: dict[str, Any]) -> list[tuple[tuple[int, ...], str]]:
    return [(hint.path, hint.code) for hint in menu_lints.hints(menu, menus.clean(document))]


def test_a_key_without_a_rule_is_told_and_one_with_a_rule_is_not(account: Account, menu: Menu) -> None:
    keyword = {"kind": "event_key", "text": "PRICE"}
    Rule.objects.create(account=account, name="报价", keywords=[keyword], answers=[{"kind": "text", "content": "好"}])
    assert codes(menu, FULL) == [((1, 1), "key"), ((2,), "key")]
    (hint, _other) = menu_lints.hints(menu, FULL)
    assert hint.rule_for == "活动"


def test_names_that_are_cut_plain_addresses_and_media_are_told(account: Account, menu: Menu) -> None:
    Material.objects.create(account=account, kind="image", name="图", media_id="KNOWN", permanent=True)
    Material.objects.create(account=account, kind="image", name="图", media_id="SHORT", permanent=False)
    media = [{"type": "media_id", "name": "图", "media_id": one} for one in ("KNOWN", "SHORT", "OTHER")]
    document = of(view("五个字的名"), group(view(url="http://example.com/"), *media), group(view("八" * 9)))
    assert codes(menu, document) == [
        ((0,), "name"),
        ((1, 0), "url"),
        ((1, 2), "media_id"),
        ((1, 3), "media_id"),
        ((2, 0), "name"),
    ]


def test_a_menu_for_some_people_needs_a_default_one_a_known_tag_and_few_domains(account: Account, menu: Menu) -> None:
    tag = Tag.objects.create(account=account, name="老客户")
    some = Menu(account=account, name="老", is_default=False, tag=tag)
    document = of(group(*(view(letter, f"https://{letter}.test/") for letter in "abcd")))
    assert [code for _path, code in codes(some, document)] == ["default", "tag", "hosts"]
    Menu.objects.update(menuid="1")
    Tag.objects.update(platform_id=2)
    tag.refresh_from_db()
    assert codes(some, of(view())) == []


def test_the_linter_of_the_rules_knows_the_keys_of_the_menus(account: Account, menu: Menu) -> None:
    MenuVersion.objects.create(menu=menu, document=of(click("旧", "OLD")), published_at=timezone.now())
    assert set(menu_lints.keys_of(account)) == {"PRICE", "活动", "KF"}
    Menu.objects.update(menuid="5")
    assert set(menu_lints.keys_of(account)) == {"PRICE", "活动", "KF", "OLD"}
    missing = {one.values["key"] for one in linter.of_account(account) if one.code == "menu_key"}
    assert missing == {"PRICE", "活动", "KF", "OLD"}


# To the platform and back.


def at(simulator: SimulatorServer) -> Any:
    return simulator.platform.accounts[APPID].menus


def test_a_published_menu_is_read_back_and_kept(simulator: SimulatorServer, menu: Menu) -> None:
    user = User.objects.create_user("editor")
    done = menu_publishing.publish(menu, user)
    assert (done.version.agreed, done.unread, done.left_over) == (True, None, None)
    assert (done.version.document, done.version.published_by) == (FULL, user)
    kept = at(simulator).default
    assert kept["button"][1]["sub_button"][1]["name"] == "活动😀"
    menu.refresh_from_db()
    assert menu.menuid == str(kept["menuid"])
    assert menu_publishing.live(menu).document == FULL


def test_no_menu_is_no_error(simulator: SimulatorServer, menu: Menu) -> None:
    assert menu_publishing.live(menu).document is None
    assert menu_publishing.seen_by(menu.account, person(simulator)) == {"button": []}


def person(simulator: SimulatorServer, **fields: Any) -> str:
    registered = simulator.platform.accounts[APPID]
    return str(simulator.platform.add_person(registered, openid="oSomebody", follows=True, **fields).openid)


def test_a_menu_of_the_website_is_found_where_the_api_has_none(simulator: SimulatorServer, menu: Menu) -> None:
    at(simulator).website = {"is_menu_open": 1, "selfmenu_info": {"button": [view()]}}
    live = menu_publishing.live(menu)
    assert (live.document, live.website, live.changed) == (of(view()), True, ())


@pytest.mark.parametrize("document", [{}, {"button": []}, of(click(name="字" * 6))])
def test_what_cannot_be_published_is_not_sent(simulator: SimulatorServer, menu: Menu, document: Any) -> None:
    menu.document = document
    with pytest.raises(ValidationError):
        menu_publishing.publish(menu, None)
    assert at(simulator).default is None
    assert not MenuVersion.objects.exists()


def test_a_refusal_leaves_no_version(simulator: SimulatorServer, menu: Menu) -> None:
    menu.document = of({"type": "media_id", "name": "图", "media_id": "NOBODY_KNOWS"})
    with pytest.raises(PlatformError) as caught:
        menu_publishing.publish(menu, None)
    assert caught.value.code == 40007
    assert not MenuVersion.objects.exists()


@pytest.fixture
def some(simulator: SimulatorServer, account: Account, menu: Menu) -> Menu:
    """A menu for those of a tag, beside a published default one."""
    number = simulator.platform.accounts[APPID].tags.create("老客户")
    tag = Tag.objects.create(account=account, name="老客户", platform_id=number)
    menu_publishing.publish(menu, None)
    return Menu.objects.create(account=account, name="老客户", is_default=False, tag=tag, document=of(view("专属")))


def test_a_conditional_menu_takes_the_place_of_the_one_before(simulator: SimulatorServer, some: Menu) -> None:
    for name in ("专属", "新的"):
        some.document = of(view(name))
        assert menu_publishing.publish(some, None).version.agreed is True
        some.refresh_from_db()
        (kept,) = at(simulator).conditional
        assert (str(kept["menuid"]), kept["button"][0]["name"]) == (some.menuid, name)
    assert kept["matchrule"] == {"tag_id": str(some.tag.platform_id)}  # type: ignore[union-attr]
    seen = menu_publishing.seen_by(some.account, person(simulator, tags=[some.tag.platform_id]))  # type: ignore[union-attr]
    assert seen == of(view("新的"))


def test_a_tag_that_the_platform_does_not_know_is_told_before_anything_is_sent(some: Menu) -> None:
    assert some.tag
    some.tag.platform_id = None
    with pytest.raises(ValidationError):
        menu_publishing.publish(some, None)


def test_the_default_menu_takes_the_conditional_ones_with_it(
    simulator: SimulatorServer, some: Menu, menu: Menu
) -> None:
    menu_publishing.publish(some, None)
    menu_publishing.delete(menu)
    assert (at(simulator).default, at(simulator).conditional) == (None, [])
    assert set(Menu.objects.values_list("menuid", flat=True)) == {""}


def test_one_conditional_menu_is_deleted_alone_also_when_it_is_gone_already(
    simulator: SimulatorServer, some: Menu
) -> None:
    menu_publishing.publish(some, None)
    at(simulator).conditional.clear()
    menu_publishing.delete(some)
    some.refresh_from_db()
    assert some.menuid == ""
    assert at(simulator).default is not None


# From one account to another.


def test_menus_travel_with_the_configuration(account: Account, menu: Menu) -> None:
    tag = Tag.objects.create(account=account, name="老客户")
    Menu.objects.create(account=account, name="老", is_default=False, tag=tag, client="2", document=of(view()))
    other = Account.objects.create(slug="other", name="另一家")
    Menu.objects.create(account=other, name="旧名字", document=of(click()))
    exported = json.loads(json.dumps(portable.export(account)))
    user = User.objects.create_user("editor")
    portable.apply(other, exported, user=user)
    first, second = other.menus.all()
    assert (first.name, first.is_default, first.document) == ("默认菜单", True, FULL)
    assert (second.tag.name, second.client, second.is_default) == ("老客户", "2", False)  # type: ignore[union-attr]
    assert second.tag.account == other  # type: ignore[union-attr]
    assert portable.differences(other, exported) == []
    assert first.history.first().history_user == user
    portable.apply(other, {**exported, "menus": exported["menus"][:1]}, user=user, remove=True)
    assert [one.name for one in other.menus.all()] == ["默认菜单"]


@pytest.mark.parametrize(
    "listed",
    [
        {},
        [5],
        [{"name": "名"}],
        [{"name": "", "document": FULL}],
        [{"name": 5, "document": FULL}],
        [{"name": "名", "document": FULL, "extra": 1}],
        [{"name": "名", "document": FULL, "client": "9"}],
        [{"name": "名", "document": of(view(url="javascript:x"))}],
        [{"name": "名", "document": FULL}, {"name": "名", "client": "1", "document": FULL}],
        [{"name": "名", "document": FULL}, {"name": "另", "document": FULL}],
    ],
)
def test_a_file_with_something_else_is_refused_and_nothing_is_stored(account: Account, listed: Any) -> None:
    exported = {**portable.export(account), "menus": listed}
    with pytest.raises(ValidationError):
        portable.apply(account, exported, user=User.objects.create_user("editor"))
    assert not Menu.objects.exists()


def test_a_default_menu_does_not_become_one_for_some_people(account: Account, menu: Menu) -> None:
    exported = {**portable.export(account), "menus": [{"name": menu.name, "client": "1", "document": FULL}]}
    with pytest.raises(ValidationError):
        portable.apply(account, exported, user=User.objects.create_user("editor"))
    menu.refresh_from_db()
    assert menu.is_default
