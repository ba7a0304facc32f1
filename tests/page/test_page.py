"""A merchant and an engineer at the page: whole payments, faults, the timeline, a recording."""

import re
import subprocess
import sys

import pytest
import yaml
from page_hands import FINISHING, PAYING, REPO
from playwright.sync_api import expect

pytestmark = pytest.mark.alone  # real time: other tests beside it would disturb it


def test_a_sale_with_the_mouse_is_recorded_as_a_scenario_that_plays(hands, tmp_path):
    hands.click("scenario-record")
    expect(hands.part("progress")).to_contain_text("正在录制")
    hands.pay("1 2 . 3 4")
    hands.finish()
    for text in ("RMB 12.34", "622588******1234", "持卡人存根"):
        hands.prints(text)
    hands.postings("12.34")
    hands.even()
    expect(hands.part("difference")).to_contain_text("终端与主机一致")
    assert int(hands.part("paper").get_attribute("data-rows") or 0) > 1000
    hands.click("tear", "scenario-stop")
    expect(hands.part("paper")).to_have_attribute("data-rows", "0")
    expect(hands.part("script")).to_have_value(re.compile("expect-ledger"))
    with hands.page.expect_download() as download:
        hands.click("scenario-export")
    file = tmp_path / "recorded.yaml"
    download.value.save_as(file)
    scenario = yaml.safe_load(file.read_text())
    assert scenario["steps"][-1]["expect-ledger"] == {
        "acquirer": [{"type": "sale", "amount": 1234, "state": "approved"}], "difference": 0,
    }  # fmt: skip
    played = subprocess.run(
        [sys.executable, "-c", "from tools.cli import main; main()", "play", str(file)],
        cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert played.returncode == 0, played.stdout + played.stderr


def test_a_sale_with_the_keyboard_alone(hands):
    keyboard = hands.page.keyboard
    for key in [*"12.34", "Enter"]:
        keyboard.press(key)
    hands.sees("请插卡")
    hands.part("insert-debit").focus()
    keyboard.press("Enter")
    hands.sees("请输入密码")
    hands.pin("123456", lambda key: keyboard.press("Enter" if key == "ENTER" else key))
    hands.sees("请撕下商户存根")
    keyboard.press("Enter")
    hands.sees("取")
    hands.part("remove-debit").focus()
    keyboard.press("Enter")
    hands.sees("请输入金额")
    hands.postings("12.34")
    hands.even()


def test_a_wrong_pin_is_refused_by_the_host(hands):
    hands.pay("5 0 0", pin="6 5 4 3 2 1")
    hands.sees("密码错")
    expect(hands.part("timeline").locator("li.lane-iso", has_text="39=55")).to_be_attached()
    hands.postings()
    hands.even()
    hands.give_up()


def test_without_paper_the_terminal_waits_and_goes_on(hands):
    hands.click("paper-out")
    expect(hands.part("fault-chips")).to_contain_text("缺纸")
    hands.play(*PAYING, {"expect-screen": "打印机缺纸"})
    hands.sees("打印机缺纸")
    assert not hands.printed
    hands.postings("1.00")
    hands.click("paper-out")
    expect(hands.part("fault-chips")).to_be_empty()
    hands.prints("商户存根")
    hands.play(*FINISHING)
    hands.prints("持卡人存根")
    hands.even()


def test_without_network_nothing_is_booked(hands):
    hands.click("faults-open", "fault-network-off")
    expect(hands.part("fault-network-off")).to_have_attribute("aria-pressed", "true")
    hands.play(*PAYING, {"expect-screen": "交易失败"})
    hands.sees("交易失败")
    hands.postings()
    hands.even()
    hands.part("fault-chips").get_by_role("button").click()
    expect(hands.part("fault-chips")).to_be_empty()
    hands.give_up()


def test_the_timeline_tells_an_apdu_and_a_message_in_words_and_no_secret(hands):
    hands.play(*PAYING, *FINISHING)
    events = hands.page.evaluate(
        "JSON.stringify([...document.querySelectorAll('#events li')].map((li) => li.event))"
    )
    assert "622588******1234" in events and "6225880000071234" not in events
    assert '"key":"digit"' in events and not re.search(r'"key":"\d', events)
    detail, timeline = hands.part("detail"), hands.part("timeline")
    hands.click("lane-apdu")
    timeline.locator("li", has_text="GENERATE AC").nth(-2).click()
    expect(detail).to_contain_text("GENERATE AC ARQC")
    expect(detail.locator("pre").first).to_contain_text("80 AE 80 00")
    expect(detail.locator("tr", has_text="TVR")).to_contain_text("online PIN entered")
    hands.click("close-detail", "lane-iso")
    hands.part("search").fill("0210")
    expect(timeline.locator("li", has_text="0200")).to_have_count(0)
    timeline.locator("li", has_text="39=00").last.click()
    expect(detail.locator("tr", has_text="F39")).to_contain_text("00")
    assert re.search(r"#t=\d+\.\d+$", hands.page.url)
    hands.page.reload()
    expect(timeline.locator("li.here")).to_contain_text("0210")
    hands.even()


def test_a_scenario_is_played_stepped_and_refused_by_line(hands):
    hands.part("script").fill('steps:\n  - key: "4 5"\n  - key: "CANCEL"\n')
    hands.click("scenario-step")
    hands.sees("￥0.45")
    expect(hands.part("progress")).to_contain_text("第 2 行完成")
    hands.click("scenario-step")
    expect(hands.part("progress")).to_contain_text("第 3 行完成")
    hands.sees("操作员")
    hands.part("script").fill('steps:\n  - expect-screen: "没有的字"\n')
    hands.click("speed-max", "scenario-play")
    expect(hands.part("progress")).to_contain_text("line 2: the screen never showed")
    hands.part("script").fill('steps:\n  - kee: "1"\n')
    hands.click("scenario-play")
    expect(hands.part("toast").last).to_contain_text("scenario.yaml:2: unknown step 'kee'")
    hands.click("speed-1")
