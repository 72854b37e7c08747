"""Statistics: figures with their intervals, ROC analysis and tests. NumPy and the standard library only."""

from gambeson.core.stats.comparing import difference, holm, mann_whitney, two_proportions
from gambeson.core.stats.proportions import balanced_accuracy, clopper_pearson, proportion, wilson
from gambeson.core.stats.ranking import RocCurve, auc, best_threshold, roc, threshold_at_fpr, tpr_at_fpr
from gambeson.core.stats.resampling import bootstrap

__all__ = [
    "RocCurve",
    "auc",
    "balanced_accuracy",
    "best_threshold",
    "bootstrap",
    "clopper_pearson",
    "difference",
    "holm",
    "mann_whitney",
    "proportion",
    "roc",
    "threshold_at_fpr",
    "tpr_at_fpr",
    "two_proportions",
    "wilson",
]
