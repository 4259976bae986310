"""The look of an account: colour and logo as staff set them, as files with a version, and on the visitor's pages."""

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from orders.models import Order
from wechat import brands, logos
from wechat.admin.versions import moment_of
from wechat.models import Account, Brand, Membership

LIST, ADD = reverse("admin:wechat_brand_changelist"), reverse("admin:wechat_brand_add")


def page(brand: Brand | Account) -> str:
    return reverse("admin:wechat_brand_change", args=[brand.pk])


def drawn(kind: str = "PNG", size: tuple[int, int] = (300, 100), mode: str = "RGB", **options: Any) -> bytes:
    """A picture of that kind."""
    target = io.BytesIO()
    Image.new(mode, size, "#128552" if mode != "L" else 90).save(target, kind, **options)
    return target.getvalue()


def noise(side: int) -> bytes:
    """A picture that no PNG makes small."""
    target = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(target, "PNG")
    return target.getvalue()


def upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def brand(account: Account) -> Brand:
    logo = logos.redrawn(drawn())
    return Brand.objects.create(account=account, colour="#ffcc00", logo=logo, logo_version=brands.logo_version(logo))


# The logo's file.


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew_as_a_png(kind: str) -> None:
    content = drawn(kind, (1400, 700))
    logo = logos.redrawn(content)
    with Image.open(io.BytesIO(logo)) as picture:
        assert (picture.format, picture.size) == ("PNG", (512, 256))
    assert len(logo) <= logos.LARGEST


def test_what_a_file_says_beside_its_points_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    logo = logos.redrawn(drawn("JPEG", (300, 100), exif=exif, comment=b"<script>"))
    assert b"camera" not in logo
    assert b"script" not in logo
    with Image.open(io.BytesIO(logo)) as picture:
        assert picture.size == (100, 300), "it is turned upright first"


def test_a_see_through_ground_stays() -> None:
    with Image.open(io.BytesIO(logos.redrawn(drawn(mode="LA")))) as picture:
        assert picture.has_transparency_data


def test_a_large_logo_becomes_small_enough() -> None:
    assert 0 < len(logos.redrawn(noise(1000))) <= logos.LARGEST


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><svg/>', "SVG"),
        (drawn("GIF"), "WebP"),
        (drawn("BMP"), "WebP"),
        (b"%PDF-1.7", "WebP"),
        (b"", "WebP"),
        (drawn()[:60], "PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "PNG"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 broken", ""),
    ],
    ids=["svg", "xml", "gif", "bmp", "pdf", "nothing", "cut off", "only begins like one", "broken webp"],
)
def test_another_file_is_refused_in_words(content: bytes, word: str) -> None:
    with pytest.raises(ValidationError) as refused:
        logos.redrawn(content)
    assert refused.value.messages[0]
    assert word in refused.value.messages[0] or "图" in refused.value.messages[0]


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = drawn("PNG", (9000, 9000), "1")
    assert len(bomb) < 100_000
    with pytest.raises(ValidationError):
        logos.redrawn(bomb)
    with pytest.raises(ValidationError):
        logos.redrawn(drawn() + b"x" * logos.UPLOAD)


# The addresses.


def test_the_logo_is_served_under_its_version_only(brand: Brand, client: Client) -> None:
    address = brands.look_of(brand.account).logo_url
    answer = client.get(address)
    assert answer.content == bytes(brand.logo)
    assert answer["Content-Type"] == "image/png"
    assert {"immutable", "public"} <= set(answer["Cache-Control"].split(", "))
    assert not answer.cookies
    for other in (address.replace("demo", "other"), address.replace("x100-", "x101-"), address.replace(".png", ".jpg")):
        assert client.get(other).status_code == 404
    assert client.post(address).status_code == 405


def test_the_colour_is_a_style_sheet_under_its_version_only(brand: Brand, client: Client) -> None:
    address = brands.look_of(brand.account).style_url
    answer = client.get(address)
    assert answer.content.decode() == brands.style("#ffcc00")
    assert answer["Content-Type"].startswith("text/css")
    assert "immutable" in answer["Cache-Control"]
    Brand.objects.update(colour="#123456")
    assert client.get(address).status_code == 404
    assert brands.look_of(brand.account).style_url != address


def test_no_look_means_no_files(account: Account, client: Client) -> None:
    assert brands.look_of(account) == brands.Look()
    Brand.objects.create(account=account)
    assert brands.look_of(account) == brands.Look()
    assert client.get("/brand/demo/logo-.png").status_code == 404
    assert client.get("/brand/demo-0123456789ab.css").status_code == 404


@pytest.mark.parametrize(("size", "box"), [((512, 128), (144, 36)), ((512, 40), (160, 12)), ((64, 512), (4, 36))])
def test_a_page_keeps_room_for_the_logo(account: Account, size: tuple[int, int], box: tuple[int, int]) -> None:
    logo = drawn(size=size)
    version = brands.logo_version(logo)
    assert len(version) <= Brand._meta.get_field("logo_version").max_length  # type: ignore[operator]
    Brand.objects.create(account=account, logo=logo, logo_version=version)
    look = brands.look_of(account)
    assert (look.width, look.height) == box


def test_the_visitors_page_wears_the_look(brand: Brand, order: Order, client: Client) -> None:
    look = brands.look_of(brand.account)
    text = client.get(reverse("quote", args=[order.key])).content.decode()
    assert f'href="{look.style_url}"' in text
    assert f'src="{look.logo_url}" width="108" height="36"' in text
    brand.delete()
    text = client.get(reverse("quote", args=[order.key])).content.decode()
    assert "/brand/" not in text


# The admin.


def test_staff_set_a_look_and_take_it_back(account: Account, staff: Client) -> None:
    answer = staff.post(ADD, {"account": account.pk, "colour": "#FFCC00", "upload": upload(drawn(size=(800, 800)))})
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    brand = Brand.objects.get()
    assert brand.colour == "#ffcc00"
    assert brand.logo_version.startswith("512x512-")
    shown = staff.get(page(brand)).content.decode()
    assert brands.look_of(account).logo_url in shown
    staff.post(page(brand), {"colour": "", "remove_logo": "on"})
    brand.refresh_from_db()
    assert (brand.colour, bytes(brand.logo), brand.logo_version) == ("", b"", "")


def test_a_bad_colour_or_file_is_said_beside_its_field(account: Account, staff: Client) -> None:
    answer = staff.post(ADD, {"account": account.pk, "colour": "red", "upload": upload(b"<svg/>", "logo.svg")})
    errors = answer.context["adminform"].form.errors
    assert {"colour", "upload"} <= set(errors)
    assert not Brand.objects.exists()


def test_an_account_has_one_look(brand: Brand, staff: Client) -> None:
    assert staff.get(ADD).status_code == 403
    assert staff.post(ADD, {"account": brand.pk, "colour": "#000000"}).status_code == 403
    second = Account.objects.create(slug="second", name="第二家")
    offered = staff.get(ADD).context["adminform"].form.fields["account"].queryset
    assert list(offered) == [second]


def test_saving_without_a_file_keeps_the_logo(brand: Brand, staff: Client) -> None:
    staff.post(page(brand), {"colour": "#000000"})
    after = Brand.objects.get()
    assert (after.colour, bytes(after.logo)) == ("#000000", bytes(brand.logo))


def test_the_history_tells_of_colour_and_logo_and_leads_back(brand: Brand, staff: Client) -> None:
    before = brand.history.first()
    staff.post(page(brand), {"colour": "#0000ff", "upload": upload(drawn())})
    told = staff.get(reverse("admin:wechat_brand_history", args=[brand.pk])).content.decode()
    assert "#ffcc00" in told
    assert "#0000ff" in told
    assert "Logo" in told or "徽标" in told or "标志" in told
    restore = reverse("admin:wechat_brand_restore", args=[brand.pk, moment_of(before.history_date)])
    staff.post(restore, {"_form_submitted": "True"})
    assert Brand.objects.get().colour == "#ffcc00"


def test_the_card_beside_the_form_gets_its_shades(account: Account, viewer: Client, client: Client) -> None:
    address = reverse("admin:wechat_brand_shades")
    made = viewer.get(address, {"colour": "#ffff00"}).json()
    assert set(made) == {"light", "dark"}
    assert set(made["light"]) == {"accent", "soft", "ink"}
    for wrong in ("", "red", "#fff", "</style>"):
        assert viewer.get(address, {"colour": wrong}).status_code == 400
    assert client.get(address).status_code == 302
    Membership.objects.all().delete()
    assert viewer.get(address, {"colour": "#ffff00"}).status_code == 403


def test_who_may_only_look_changes_nothing(brand: Brand, viewer: Client) -> None:
    text = viewer.get(page(brand)).content.decode()
    assert "#ffcc00" in text
    assert 'name="colour"' not in text
    assert viewer.post(page(brand), {"colour": "#000000"}).status_code == 403
