"""Settings of Celery, by its own names: https://docs.celeryq.dev/en/stable/userguide/configuration.html"""

from urllib.parse import parse_qsl, urlencode

from celery.schedules import crontab
from kombu import Queue
from marshmallow import validate

from config.channel_layer_redis import REDIS_PREFIX, REDIS_URL  # also when the layer is in memory
from config.environment import env, read


def for_celery(url):
    """Write the URL of a Redis as Celery takes it, which else would believe any certificate."""
    url, _, query = url.partition("?")
    options = dict(parse_qsl(query))
    if url.startswith("unix:"):
        url, options["virtual_host"] = f"redis+socket:{url.removeprefix('unix:')}", options.pop("db", "0")
    elif url.startswith("rediss:"):
        options = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"} | options
        if options["ssl_cert_reqs"].lower() in ("none", "cert_none"):
            options["ssl_check_hostname"] = "false"
    return f"{url}?{urlencode(options)}" if options else url


# The broker

broker_url = for_celery(
    read(
        env.str,
        "CELERY_BROKER_URL",
        "a URL such as redis://:password@localhost:6379/1 (rediss:// for TLS)",
        default=REDIS_URL,
        validate=validate.URL(schemes={"redis", "rediss", "unix"}, require_tld=False),
    )
)
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # a worker waits for its broker as long as it takes
task_default_queue = "default"
task_queues = [Queue(name, routing_key=name) for name in ("default", "generation", "execution")]
task_create_missing_queues = False  # nobody would take tasks from a queue with a mistyped name
accept_content = ["json"]  # and no pickle, which runs whatever it holds
task_ignore_result = True  # what comes of a task is stored, or published, by the task

# A task is done when it has ended, and not when it was begun: that of a worker which died is run again. So it
# may run twice, and has to come to the same then.

task_acks_late = True
task_reject_on_worker_lost = True
worker_cancel_long_running_tasks_on_connection_loss = True  # the broker will give them to somebody again
worker_prefetch_multiplier = 1  # what waits is there for every worker
worker_concurrency = read(
    env.int,
    "CELERY_WORKER_CONCURRENCY",
    "a number of tasks that run at the same time, for example CELERY_WORKER_CONCURRENCY=4",
    default=2,
    validate=validate.Range(1),
)
task_time_limit = read(
    env.int,
    "CELERY_TASK_TIME_LIMIT",
    "a number of seconds that a task may take, for example CELERY_TASK_TIME_LIMIT=1800",
    default=1800,
    validate=validate.Range(1),
)
task_soft_time_limit = 0.9 * task_time_limit  # raises SoftTimeLimitExceeded in the task
worker_soft_shutdown_timeout = 20  # seconds to finish when told to stop; what has not is given back
broker_transport_options = {
    "global_keyprefix": f"{REDIS_PREFIX}:",
    # After so many seconds without an answer a task is given to another worker: longer than any may take.
    "visibility_timeout": task_time_limit + 60,
    "unacked_restore_interval": 10,  # how often a worker looks for such
    "unacked_restore_throttle": 1,
    "socket_timeout": 3,  # so that nobody waits for ever who hands over a task to a broker that hangs
    "socket_connect_timeout": 3,
}
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0}

# The clock. It keeps nothing: what was due while it was away is left out, so name times and not intervals.

beat_scheduler = "celery.beat.Scheduler"
beat_schedule = {
    "clean up": {"task": "housekeeping.tasks.clean_up", "schedule": crontab(hour=3, minute=0)},
}
