import pytest

from tests.corpus.benign import CHATML, TEMPLATE
from tests.corpus.hostile_models import BAD_TEMPLATES
from tests.corpus.look import rules_of


@pytest.mark.parametrize("template", BAD_TEMPLATES)
def test_a_template_in_a_file_of_its_own_is_judged(template):
    assert rules_of(template.encode(), "chat_template.jinja") == {"scan.template.code"}


def test_templates_as_models_have_them_pass():
    assert rules_of(TEMPLATE.encode(), "chat_template.jinja") == rules_of(CHATML.encode(), "x.j2") == set()


def test_a_pickle_by_such_a_name_is_still_a_pickle():
    assert "scan.pickle.dangerous" in rules_of(b"cos\nsystem\n(S'true'\ntR.", "x.yaml")


def test_what_is_too_long_to_be_read_is_said():
    assert rules_of(b"a: b\n" * (4 << 20), "x.yaml") == {"scan.config.code"}
