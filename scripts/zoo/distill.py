# SPDX-License-Identifier: Apache-2.0
"""What a training step minimises: the next token's negative log-likelihood, alone or beside a teacher.

Both objectives return (loss, weighted mean negative log-likelihood in nats); only the first is differentiated.
"""
import torch
import torch.nn.functional as F

TEACHER_SHARE = 0.7  # of the loss; temperature 1


def weighted_nll(log_probs, targets, weights):
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]
    return (nll * weights).sum() / weights.sum()


def next_token(model, inputs, targets, weights):
    nll = weighted_nll(F.log_softmax(model(inputs).float(), -1), targets, weights)
    return nll, nll


class FromTeacher:
    """Mixes in the Kullback-Leibler divergence of the student from the teacher, token by token."""

    def __init__(self, teacher):
        self.teacher = teacher.eval().requires_grad_(False)

    def __call__(self, model, inputs, targets, weights):
        ours = F.log_softmax(model(inputs).float(), -1)
        with torch.no_grad():
            theirs = F.log_softmax(self.teacher(inputs).float(), -1)
        nll = weighted_nll(ours, targets, weights)
        divergence = (theirs.exp() * (theirs - ours)).sum(-1)
        divergence = (divergence * weights).sum() / weights.sum()
        return (1 - TEACHER_SHARE) * nll + TEACHER_SHARE * divergence, nll
