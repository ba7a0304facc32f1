"""Screens and wording: every text has two languages, fits its line, and reads in sunlight."""

import framebuf
import glyphs

from firmware.ledger import errors as ledger_errors
from firmware.link import codes
from firmware.link import errors as link_errors
from firmware.ui import paint, screens, words_codes, words_faults, words_screens
from firmware.ui.amounts import MOST, AmountKeys
from firmware.ui.wording import Wording

INSIDE = paint.WIDTH - 2 * paint.MARGIN


class Panel:
    """A frame as a display has it, and a record of what was said to be dirty."""

    width = 320
    height = 240

    def __init__(self):
        self.buffer = bytearray(320 * 120)
        self.frame = framebuf.FrameBuffer(self.buffer, 320, 240, framebuf.GS4_HMSB)
        self.rectangles = []

    def dirty(self, *rectangle):
        self.rectangles.append(rectangle)

    def palette(self, colours):
        self.colours = colours

    def ink(self, x, y, w, h, colour):
        """How many pixels of a rectangle have this colour."""
        pixel = self.frame.pixel
        return sum(
            pixel(column, row) == colour for row in range(y, y + h) for column in range(x, x + w)
        )


def luminance(rgb):
    """Relative luminance (WCAG 2.1, "relative luminance")."""
    parts = []
    for shift in (16, 8, 0):
        value = (rgb >> shift & 255) / 255
        parts.append(value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_contrast_of_every_text_is_seven_to_one():
    for ink, ground in paint.TEXT_PAIRS:
        light, dark = sorted((luminance(paint.PALETTE[ink]), luminance(paint.PALETTE[ground])))
        ratio = (dark + 0.05) / (light + 0.05)
        assert ratio >= 7, (ink, ground, ratio)


def test_band_colours_are_among_the_checked_pairs():
    for state, (ground, ink) in paint.STATES.items():
        assert (ink, ground) in paint.TEXT_PAIRS, state


def test_every_text_is_in_both_languages():
    for name, texts in words_screens.TEXTS.items():
        assert len(texts) == 2 and texts[0] and texts[1], name
        assert texts[0].count("{}") == texts[1].count("{}"), name


def test_titles_and_prompts_fit_one_line_of_24():
    for name, texts in words_screens.TEXTS.items():
        if texts[1] != texts[1].upper() or "{}" in texts[1]:
            continue  # sentences of 16 px may wrap
        for text in texts:
            assert glyphs.width(text, 24) <= INSIDE, (name, text, glyphs.width(text, 24))


def test_titles_of_bands_fit_beside_the_seconds():
    for name in (
        "sale", "sign-on", "sign-off", "login", "change-password", "self-test", "enter-pin",
        "approved", "declined", "failed", "cancelled", "timed-out", "signed-on", "signed-off",
        "tear-off", "connecting", "signing-on", "signing-off", "testing-line", "echo-good",
        "reading-card", "remove-card", "pin-wrong", "password-wrong", "operator-unknown", "menu",
        "management", "print-menu", "supervisor", "administrator", "language", "faults",
        "test-passed", "test-noted", "test-failed", "reprint", "must-change",
    ):  # fmt: skip
        for text in words_screens.TEXTS[name]:
            width = glyphs.width(text, 24)
            assert width <= paint.TITLE_WIDTH, (name, text, width, paint.TITLE_WIDTH)


def test_meanings_fit_one_line_and_remedies_two():
    for table in (words_codes.CODES, words_faults.FAULTS):
        for name, (zh, zh_todo, en, en_todo) in table.items():
            for text in (zh, en):
                assert glyphs.width(text, 24) <= INSIDE, (name, text, glyphs.width(text, 24))
            for text in (zh_todo, en_todo):
                assert len(glyphs.wrap(text, 24, INSIDE)) <= 2, (name, text)


def test_fault_titles_fit_the_band_at_16():
    for name, (zh, _, en, _) in words_faults.FAULTS.items():
        for text in (zh, en):
            assert glyphs.width(text, 16) <= paint.TITLE_WIDTH, (name, text)


def test_every_response_code_of_the_protocol_has_words():
    for code in codes.KNOWN:
        assert code in words_codes.CODES, code
    assert set(codes.APPROVED) <= set(words_codes.APPROVED)
    words = Wording("en")
    assert words.code("51") == ("Insufficient funds", "Use another card")
    assert words.code("ZZ")[0] == "Transaction failed"
    words.speak("zh")
    assert words.code("51")[0] == "余额不足"


def test_every_error_of_link_and_ledger_has_words_of_its_own():
    for module in (link_errors, ledger_errors):
        for name in dir(module):
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, Exception) and name[0].isupper():
                if name in ("StateBackwards", "Exception"):
                    continue  # a fault of the program: shown as its base
                assert name in words_faults.FAULTS, name


def test_an_unnamed_error_is_shown_as_its_base_and_a_stranger_as_unexpected():
    class Odd(link_errors.NoRoute):
        pass

    words = Wording("en")
    assert words.fault(Odd("x"))[0] == "Host not reached"
    assert words.fault(ZeroDivisionError())[0] == "Unexpected fault"


def test_an_unknown_language_is_refused():
    try:
        Wording("fr")
    except ValueError:
        return
    raise AssertionError("fr was accepted")


def typed(keys):
    amount = AmountKeys()
    for key in keys.split():
        amount.press(key)
    return amount.fen


def test_digits_shift_in_from_the_right():
    assert typed("1 2 3 4") == 1234
    assert typed("0 0 5") == 5
    assert typed("8 00 0 5 1") == 800051
    assert typed("1 2 CLEAR") == 1
    assert typed("CLEAR 7") == 7


def test_a_point_means_yuan():
    assert typed("1 2 . 3 4") == 1234
    assert typed("1 2 . 5") == 1250
    assert typed("1 2 .") == 1200
    assert typed(". 5") == 50
    assert typed(". 0 5") == 5
    assert typed("1 . 2 3 4 5") == 123
    assert typed("1 . 5 CLEAR CLEAR") == 1
    assert typed("1 . 00") == 100
    assert typed("1 . .") == 100


def test_the_limit_holds_past_small_integers():
    amount = AmountKeys()
    for _ in range(10):
        assert amount.press("9")
    assert amount.fen == MOST == 9_999_999_999 > 1 << 31
    assert not amount.press("9")
    assert not amount.press(".")
    assert amount.fen == MOST


def test_the_largest_amount_fits_a_line_of_40():
    assert glyphs.width(screens.yuan(MOST), 40) <= INSIDE - 2 * paint.MARGIN


def test_feet_fit():
    words_keys = ("ENTER", "CLEAR", "CANCEL", "MENU")
    feet = (
        (("ENTER", "do-next"), ("CLEAR", "do-fix"), ("CANCEL", "do-back")),
        (("ENTER", "do-done"), ("CLEAR", "do-fix"), ("CANCEL", "do-end")),
        (("ENTER", "do-retry"), ("CANCEL", "do-end")),
        (("ENTER", "do-settle"), ("CANCEL", "do-back")),
        (("ENTER", "do-choose"), ("CANCEL", "do-back")),
    )
    for language in ("zh", "en"):
        words = Wording(language)
        for foot in feet:
            hints = []
            for key, does in foot:
                assert key in words_keys
                hints.append((key, words("key-" + key.lower()), words(does)))
            assert paint.keys_width(hints) <= paint.WIDTH - 3 * len(hints), (language, foot)


def test_the_idle_screen_shows_the_merchant_in_both_prompts():
    panel = Panel()
    page = screens.Screens(panel, Wording("zh"))
    facts = screens.IdleFacts()
    facts.merchant = "测试商户有限公司"
    facts.signed_on = True
    page.idle(facts)
    assert panel.rectangles[-1] == (0, 0, 320, 240)
    assert panel.ink(0, 72, 320, 24, paint.INK) > 100
    assert panel.ink(0, 99, 320, 24, paint.INK) > 100
    assert panel.ink(0, 168, 320, 18, paint.RED) == 0
    facts.signed_on = False
    page.idle(facts)
    assert panel.ink(0, 168, 320, 18, paint.RED) > 50


def test_a_long_merchant_name_stays_above_the_prompt():
    panel = Panel()
    page = screens.Screens(panel, Wording("zh"))
    facts = screens.IdleFacts()
    facts.merchant = "商" * 60
    page.idle(facts)
    assert panel.ink(0, 68, 320, 4, paint.GREY) == 0


def test_the_pin_screen_shows_dots_and_no_digit():
    panel = Panel()
    page = screens.Screens(panel, Wording("zh"))
    page.pin(1234, 0, "", False)
    empty = bytes(panel.buffer)
    page.pin_typed(6)
    full = panel.ink(16, 100, 288, 40, paint.INK)
    assert full > 0
    page.pin_typed(12)
    assert panel.ink(16, 100, 288, 40, paint.INK) == 2 * full
    page.pin_typed(0)
    assert bytes(panel.buffer) == empty


def test_seconds_change_only_their_corner():
    panel = Panel()
    page = screens.Screens(panel, Wording("en"))
    page.present("sale", 1234, "insert-or-tap", "insert-hint")
    before = bytes(panel.buffer)
    page.seconds(59)
    x, y, w, h = panel.rectangles[-1]
    assert (x + w, y) == (320, 0) and h == paint.BAND_HEIGHT
    rows_below = panel.buffer[160 * paint.BAND_HEIGHT:]
    assert rows_below == before[160 * paint.BAND_HEIGHT:]
