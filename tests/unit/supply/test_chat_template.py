import pytest

from tests.corpus.benign import CHATML, TEMPLATE
from tests.corpus.hostile_models import BAD_TEMPLATES
from tests.corpus.look import rules_of
from tests.corpus.messages import gguf


@pytest.mark.parametrize("template", BAD_TEMPLATES)
def test_templates_that_reach_for_internals_are_found(template):
    assert rules_of(gguf(template), "m.gguf") == {"scan.template.code"}


@pytest.mark.parametrize(
    "template",
    [
        TEMPLATE, CHATML, "no template at all: __class__", "{{ messages[0]['content'][:3] }}{{ '__end__' }}",
        "{% macro f(x) %}{{ x | tojson }}{% endmacro %}{{ f(tools) }}{{ strftime_now('%d') }}",
        "{%- for k, v in tool.parameters.items() if not loop.first %}{{ k | upper ~ v['type'] }}{% break %}"
        "{% endfor %}",
    ],
)  # fmt: skip
def test_templates_as_models_have_them_pass(template):
    assert rules_of(gguf(template), "m.gguf") == set()


def test_no_jinja_is_a_finding_of_its_own():
    assert rules_of(gguf("{% if %}"), "m.gguf") == {"scan.template.broken"}
    assert rules_of(gguf("{% if x.__class__ %}"), "m.gguf") == {"scan.template.code"}


def test_a_deep_template_does_not_end_the_scan():
    assert rules_of(gguf("{{ " + "(" * 20_000 + " }}"), "m.gguf")
