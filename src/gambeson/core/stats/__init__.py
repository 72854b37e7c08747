"""Statistics: figures with their intervals, ROC analysis and tests. NumPy and the standard library only."""

from gambeson.core.stats.comparing import (
    difference,
    holm,
    mann_whitney,
    paired_difference,
    two_proportions,
)
from gambeson.core.stats.proportions import balanced_accuracy, clopper_pearson, proportion, wilson
from gambeson.core.stats.ranking import RocCurve, auc, best_threshold, roc, threshold_at_fpr, tpr_at_fpr
from gambeson.core.stats.resampling import bootstrap
from gambeson.core.stats.tails import binomial_tail, student_tail

__all__ = [
    "RocCurve",
    "auc",
    "balanced_accuracy",
    "best_threshold",
    "binomial_tail",
    "bootstrap",
    "clopper_pearson",
    "difference",
    "holm",
    "mann_whitney",
    "paired_difference",
    "proportion",
    "roc",
    "student_tail",
    "threshold_at_fpr",
    "tpr_at_fpr",
    "two_proportions",
    "wilson",
]
