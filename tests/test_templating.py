"""A template's fields out of its content, and whether values fit them: the same rules as the simulator plays."""

import pytest
from test_simulator_templates import VALUES

from wechat import templating
from wechat.simulator.template_library import LIBRARY, Template
from wechat.templating import Field, check, fields_of, fit, kind_of, mistake, warnings

CONTENT = "项目名称:{{thing1.DATA}}\n报价金额：{{amount2.DATA}}\n生成时间:{{time3.DATA}}\n"
OLD = "{{first.DATA}}\n订单:{{keyword1.DATA}}\n{{remark.DATA}}"
GOOD = {"thing1": "整装报价", "amount2": "86500.00元", "time3": "2026年1月5日 15:01"}


def test_the_fields_stand_in_the_order_of_the_card_with_their_labels_and_examples() -> None:
    found = fields_of(CONTENT, "项目名称:半包报价\n报价金额:1元\n")
    assert [(field.key, field.label, field.kind, field.example) for field in found] == [
        ("thing1", "项目名称", "thing", "半包报价"),
        ("amount2", "报价金额", "amount", "1元"),
        ("time3", "生成时间", "time", ""),
    ]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("thing1", "thing"),
        ("character_string12", "character_string"),
        ("keyword1", ""),
        ("first", ""),
        ("hologram1", ""),
    ],
)
def test_the_kind_is_the_beginning_of_the_key(key: str, kind: str) -> None:
    assert kind_of(key) == kind


@pytest.mark.parametrize(("rule", "value", "fits"), [one for one in VALUES if one[0] != "const"])
def test_a_value_is_judged_as_the_platform_judges_it(rule: str, value: str, fits: bool) -> None:
    assert (mistake(Field(f"{rule}3", "字段", rule), value) == "") is fits


def test_a_constant_may_be_nothing_and_has_twenty_characters() -> None:
    field = Field("const1", "状态", "const")
    assert [bool(mistake(field, value)) for value in ("", "已完成", "完" * 21)] == [False, False, True]


def test_every_example_of_the_library_fits() -> None:
    for entry in LIBRARY.values():
        template = Template("T", entry.title, entry.keywords)
        found = fields_of(template.content, template.example)
        assert check(found, {field.key: field.example for field in found}) == {}
    assert all(not mistake(Field(f"{name}1", "", name), kind.example) for name, kind in templating.KINDS.items())


def test_missing_and_unknown_keys_and_bad_values_are_named() -> None:
    wrong = check(fields_of(CONTENT), {"thing1": "十" * 21, "time3": "15:01", "thing9": "x"})
    assert wrong.keys() == {"thing1", "amount2", "thing9"}
    assert "21" in wrong["thing1"]
    assert check(fields_of(CONTENT), GOOD) == {}


def test_a_notice_takes_shorter_amounts() -> None:
    data = {**GOOD, "amount2": "12345678901"}
    assert check(fields_of(CONTENT), data) == {}
    assert check(fields_of(CONTENT), data, notice=True).keys() == {"amount2"}


def test_dropped_fields_are_no_mistake_but_a_warning() -> None:
    found = fields_of(OLD)
    assert check(found, {"keyword1": "A1", "first": "您好"}) == {}
    assert "first、remark" in warnings(found, {})[0]
    assert templating.lines_of(OLD, {"keyword1": "A1"}) == [("订单", "A1")]
    assert warnings(fields_of(CONTENT), GOOD) == []


def test_a_value_with_a_placeholder_is_judged_once_it_is_filled() -> None:
    data = {**GOOD, "thing1": "尊敬的##CUSTOMER##您的报价已经更新请查看"}
    assert check(fields_of(CONTENT), data) == {}
    assert templating.placeholders_in(data) == ["##CUSTOMER##"]


def test_text_is_cut_to_its_length_and_nothing_else_is() -> None:
    assert fit(Field("thing1", "", "thing"), "长" * 25) == "长" * 19 + "…"
    assert fit(Field("thing1", "", "thing"), " 两\n行 ") == "两 行"
    assert fit(Field("phone_number1", "", "phone_number"), "1" * 20) == "1" * 20


@pytest.mark.parametrize("content", ["", "{{thing1}}", "{{thing1.DATA", "{{1.DATA}}", "{{" * 1000, "\0" * 50])
def test_content_without_fields_asks_for_nothing(content: str) -> None:
    assert fields_of(content) == []
