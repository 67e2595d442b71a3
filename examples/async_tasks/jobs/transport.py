"""Celery's application: a transport for the ids of jobs, and nothing else."""

from celery import Celery
from django.conf import settings

from .topology import BULK, QUEUES

app = Celery("jobs")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options={
        # Redis gives a message that was not acknowledged to another consumer after this time; the sweep is
        # quicker, and a shorter time would run every long job twice.
        "visibility_timeout": 3600,
        "socket_keepalive": True,
        # A worker that waits for a frozen Redis without a limit hears no signal to stop; what it waits for
        # in good order takes 1 s.
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
    },
    broker_channel_error_retry=True,  # a queue may be locked for a moment (405)
    broker_heartbeat=10,
    task_queues=list(QUEUES.values()),
    task_default_queue=BULK,
    task_create_missing_queues=False,
    task_ignore_result=True,  # the row of the job is the result
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=300,
    task_time_limit=330,  # below RabbitMQ's consumer timeout, 30 min
    worker_prefetch_multiplier=1,
    worker_lost_wait=1,  # s; a killed child has no result on its way that anybody waits for
    worker_max_memory_per_child=200 * 1024,  # kB, after which a child is replaced
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=2,  # below the grace of whoever stops it
    worker_consumer="jobs.consumer:JobConsumer",
    worker_hijack_root_logger=False,
)
# Celery closes Django's connection before and after each task, whatever CONN_MAX_AGE says; a new one costs
# more than a short job.
app.conf["CELERY_DB_REUSE_MAX"] = 1000  # tasks
app.autodiscover_tasks(["jobs"], related_name="task")
