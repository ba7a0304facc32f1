"""The page when things change under it: language, reload, crash, power, restart, a taken port."""

import os
import re
import signal
import socket

import pytest
from page_hands import FINISHING, PAYING, Terminal, visit
from playwright.sync_api import expect

pytestmark = pytest.mark.alone  # real time: other tests beside it would disturb it


def test_the_other_language_is_a_new_terminal(hands):
    hands.click("language")
    expect(hands.part("confirm")).to_contain_text("从零开始")
    hands.click("confirm-no")
    hands.sees("请输入金额")
    hands.click("language", "confirm-yes")
    hands.sees("ENTER AMOUNT")
    expect(hands.part("hint")).to_contain_text("Try: type 12.34")
    expect(hands.part("toast").last).to_contain_text("A new terminal")
    expect(hands.part("insert-debit")).to_have_text("Insert")
    expect(hands.part("difference")).to_have_text("Difference 0.00: terminal and host agree")
    hands.keys("1 2 3 4 ENTER")
    hands.sees("TAP")
    hands.click("tap-quick")
    hands.prints("RMB 12.34")
    hands.even()
    hands.click("away-quick", "language", "confirm-yes")
    hands.sees("请输入金额")


def test_a_reload_shows_what_is(hands):
    hands.click("speed-10", "faults-open", "fault-paper-near-end")
    hands.keys("5 5 0")
    hands.sees("￥5.50")
    hands.page.reload()
    hands.sees("￥5.50")
    expect(hands.part("fault-chips")).to_contain_text("纸将尽")
    expect(hands.part("speed-10")).to_have_attribute("aria-pressed", "true")
    hands.click("speed-1")
    expect(hands.part("timeline").locator("li.lane-key").first).to_be_attached()
    hands.part("fault-chips").get_by_role("button").click()
    hands.keys("CANCEL")
    hands.sees("ENTER AMOUNT")


def test_a_firmware_that_gets_no_time_misses_no_key(hands, shared):
    firmware = shared[0].firmware()
    for key in "1 2 2 4".split():
        os.kill(firmware, signal.SIGSTOP)
        hands.keys(key)
        hands.page.wait_for_timeout(200)
        os.kill(firmware, signal.SIGCONT)
        hands.page.wait_for_timeout(100)
    hands.sees("￥12.24")
    hands.keys("CANCEL")
    hands.sees("请输入金额")


def test_codes_are_refused_in_words(hands):
    hands.click("show-phone")
    expect(hands.part("toast")).to_contain_text("not served by this terminal yet")


def test_a_second_card_is_refused_in_words(hands):
    hands.click("insert-debit", "insert-credit")
    expect(hands.part("toast")).to_contain_text("the slot holds the card 'debit'")
    hands.click("remove-debit")


def test_the_host_answers_as_it_is_told(hands):
    hands.part("override-code").fill("51")
    hands.click("override-respond")
    expect(hands.part("fault-chips")).to_contain_text("51")
    hands.play(*PAYING, {"expect-screen": "余额不足"})
    hands.postings()
    hands.click("override-normal")
    expect(hands.part("fault-chips")).to_be_empty()
    hands.give_up()


def test_power_goes_and_comes(hands):
    hands.click("power")
    expect(hands.page.locator("#device")).to_have_attribute("data-state", "off")
    hands.click("power")
    hands.sees("操作员号")
    hands.keys("0 1 ENTER")
    hands.sees("密码")
    hands.keys("0 0 0 1 ENTER")
    hands.sees("请输入金额")


def test_a_crash_is_told_and_survived(browser, tmp_path):
    terminal = Terminal(tmp_path / "simulation", "--port", "0")
    try:
        with visit(browser, terminal.address()) as hands:
            hands.sees("请输入金额")
            os.kill(terminal.firmware(), signal.SIGKILL)
            expect(hands.part("trouble")).to_contain_text("the firmware ended")
            expect(hands.page.locator("#device")).to_have_attribute("data-state", "off")
            hands.click("trouble-power")
            hands.sees("操作员号")
            expect(hands.part("trouble")).to_be_hidden()
    finally:
        said = terminal.end(limit=2)
    assert "the firmware ended" in said


def test_the_terminal_and_its_books_outlive_the_process(browser, tmp_path):
    for run in range(2):
        terminal = Terminal(tmp_path / "simulation", "--port", "0")
        try:
            with visit(browser, terminal.address()) as hands:
                assert hands.before == run
                hands.play(*PAYING, *FINISHING)
                hands.postings("1.00")
                hands.even()
        finally:
            terminal.end(limit=2)


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        terminal = Terminal(tmp_path / "simulation", "--port", str(port))
        said, _ = terminal.process.communicate(timeout=20)
    assert terminal.process.returncode == 1
    assert re.search(rf"port {port} .* choose another with --port", said)
    assert "Traceback" not in said


def test_headless_has_no_page(tmp_path):
    terminal = Terminal(tmp_path / "simulation", "--headless", "--seconds", "1")
    said, _ = terminal.process.communicate(timeout=30)
    assert terminal.process.returncode == 0
    assert "the terminal is ready" in said and "http" not in said
