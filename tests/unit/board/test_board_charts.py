"""Charts: bars lie where they belong, and axes have round figures."""

import pytest
from wbmaster.reporting.tree import Step, Tree

from board import charts
from board.charts import WIDTH, curve, gantt, marks
from board.releases import curves, live


def step(name, began, seconds, **more):
    return Step(name, "done", began, seconds, **more)


def a_run(*steps, ended=200.0):
    row = {"began": 100.0, "ended": ended, "outcome": "done", "error": "", "forecast": {}}
    return Tree(row, steps, 300.0)


@pytest.mark.parametrize(
    ("top", "wanted"),
    [(100, [0, 20, 40, 60, 80, 100]), (0.7, [0, 0.2, 0.4, 0.6]), (7, [0, 2, 4, 6]), (0, [0])],
)
def test_marks_are_round(top, wanted):
    assert marks(top) == pytest.approx(wanted)


def test_a_bar_begins_with_its_step_and_ends_with_it():
    first, second = step("seal", 100.0, 25.0), step("push_acedb", 125.0, 75.0)
    drawn = gantt(a_run(first, second)).bars

    one, other = (bar for bar in drawn if bar.kind == "done")
    assert one.x + one.width == pytest.approx(other.x)
    assert other.x + other.width == pytest.approx(WIDTH - 10)
    assert other.width == pytest.approx(3 * one.width)


def test_what_was_forecast_lies_under_what_came_and_within_the_chart():
    drawn = gantt(a_run(step("seal", 100.0, 100.0, forecast=400.0))).bars

    came, forecast = drawn
    assert (came.kind, forecast.kind) == ("done", "forecast")
    assert forecast.x == came.x and forecast.y > came.y + came.height
    assert forecast.x + forecast.width == pytest.approx(WIDTH - 10)


def test_a_step_has_a_bar_for_each_node():
    figures = {"finished": {"wb-web1": 10.0, "canopus": 50.0}}
    drawn = gantt(a_run(step("push_mysql", 100.0, 50.0, figures=figures)))

    assert [label.text for label in drawn.labels] == ["push mysql", "wb-web1", "canopus"]
    near, far = (bar for bar in drawn.bars if bar.kind == "node")
    assert far.width == pytest.approx(5 * near.width)
    assert drawn.height > far.y + far.height


def test_a_run_without_a_step_can_be_drawn():
    assert gantt(a_run(ended=100.0)).bars == []


def test_a_curve_goes_up_where_the_figure_does():
    drawn = curve("x", [("WS220", 10.0), ("WS221", 100.0)], str)

    low, high = drawn.dots
    assert high.y < low.y and high.x > low.x
    assert drawn.rows == [("WS220", "10.0"), ("WS221", "100.0")]
    assert len(curve("x", [("WS220", 0.0)], str).dots) == 1
    assert charts.curve("x", [], str).rows == []


def test_the_largest_classes_have_a_curve_each_over_the_releases():
    def released(build, classes):
        run = a_run(step("check_contents", 100.0, 1.0, figures={"classes": classes}))
        row = {**run.row, "build": build, "kind": "release", "request": {}}
        return Tree(row, run.steps, 300.0)

    runs = [released("WS220", {"Gene": 5}), released("WS221", {"Gene": 7, "Protein": 9})]
    drawn = [one for one in curves(live(runs)) if one.title.startswith("Objects of")]

    assert [one.title for one in drawn] == ["Objects of Protein", "Objects of Gene"]
    assert [list(row) for row in drawn[1].rows] == [["WS220", "5"], ["WS221", "7"]]
