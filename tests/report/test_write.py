import pytest

from tests.report.conftest import write_run
from tests.report.studies import write_study
from vitlab.base.errors import DataError, UserError
from vitlab.report.write import write_report


@pytest.mark.slow
def test_a_run_and_a_study_each_get_their_page(tmp_path):
    run, study = write_run(tmp_path / "run"), write_study(tmp_path / "study", cells=2, seeds=2)
    assert write_report(run) == run / "report.html"
    assert "Worst mistakes" in (run / "report.html").read_text()
    assert write_report(study) == study / "report.html"
    assert "What does each part do?" in (study / "report.html").read_text()


@pytest.mark.slow
def test_two_get_one_page_named_for_the_other(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    runs = [write_run(tmp_path / name / "seed-0") for name in ("a", "b")]
    assert write_report(*runs) == runs[0] / "against_b_seed-0.html"
    assert write_report(*runs, tmp_path / "page.html") == tmp_path / "page.html"


def test_a_folder_that_holds_neither(tmp_path):
    with pytest.raises(DataError, match=r"neither a study nor a run: it has neither plan\.json nor spec\.json"):
        write_report(tmp_path)
    with pytest.raises(DataError, match="neither a study nor a run: it is not a folder"):
        write_report(tmp_path / "nowhere")


def test_a_study_and_a_run_are_not_compared(tmp_path):
    run, study = write_run(tmp_path / "run"), write_study(tmp_path / "study", cells=1, seeds=1)
    for pair in ((run, study), (study, run)):
        with pytest.raises(UserError, match=rf"{study} is a study and {run} is a run: give two studies or two runs"):
            write_report(*pair)
    with pytest.raises(UserError, match="are the same folder: give two"):
        write_report(run, run)
