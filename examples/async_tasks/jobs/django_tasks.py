"""Django's own way to ask for a task (`django.tasks`, 6.0 and later), on top of the outbox."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.utils import timezone
from django.utils.module_loading import import_string

from .run import Effect, Run
from .submit import submit

KIND: Final = "django_task"


class OutboxBackend(BaseTaskBackend):
    """Set as `TASKS["default"]["BACKEND"]`; what is enqueued is rolled back with its transaction."""

    supports_defer = True

    def enqueue[**P, R](
        self, task: "Task[P, R]", args: Sequence[Any], kwargs: dict[str, Any]
    ) -> "TaskResult[P, R]":
        self.validate_task(task)
        delay = (task.run_after - timezone.now()).total_seconds() if task.run_after else 0
        job = submit(
            KIND,
            {"task": task.module_path, "args": list(args), "kwargs": kwargs},
            queue=task.queue_name,
            delay_seconds=max(0, delay),
        )
        return result(str(job), task, args, kwargs)


def result[**P, R](
    job: str, task: "Task[P, R]", args: Sequence[Any], kwargs: dict[str, Any]
) -> "TaskResult[P, R]":
    """Return what Django tells a caller, or a task about itself: it is ready, and has this id."""
    return TaskResult(
        task=task,
        id=job,
        status=TaskResultStatus.READY,
        enqueued_at=timezone.now(),
        started_at=None,
        finished_at=None,
        last_attempted_at=None,
        args=list(args),
        kwargs=kwargs,
        backend=task.backend,
        errors=[],
        worker_ids=[],
    )


def call(run: Run) -> Effect:
    """Return the call itself as the effect: what the task writes is committed with the end of its job.

    A function does not say where its slow part ends, so all of it runs within the transaction.
    """
    task: Task[..., Any] = import_string(run.arguments["task"])
    args, kwargs = run.arguments["args"], run.arguments["kwargs"]
    if task.takes_context:
        args = [TaskContext(task_result=result(str(run.job), task, args, kwargs)), *args]
    return partial(task.call, *args, **kwargs)
