/* The workers' calls by way of a queue: each worker gives one and waits, so that those of several go to the store together. */
#include "histories.h"

#include <errno.h>
#include <semaphore.h>

static tuile_queue *queue;

void open_queue(void) {
  tuile_queue_config config = TUILE_QUEUE_CONFIG_INIT;
  if (!mode.queued) return;
  config.deliver_on_workers = true, config.deadline = 3600000, config.workers = 4;
  CHECK(tuile_queue_open(manager, &config, &queue, NULL) == TUILE_OK);
}

void close_queue(void) {
  if (mode.queued) tuile_queue_close(queue);
}

struct wait {
  sem_t done;
  tuile_status status;
};

static void complete(void *context, tuile_status status, const tuile_error *error) {
  (void)error;
  struct wait *wait = context;
  wait->status = status;
  sem_post(&wait->done);
}

static void begin_wait(struct wait *wait) { CHECK(sem_init(&wait->done, 0, 0) == 0); }

static tuile_status answer(struct wait *wait, tuile_status given) {
  CHECK(given == TUILE_OK);
  while (sem_wait(&wait->done) != 0) CHECK(errno == EINTR);
  sem_destroy(&wait->done);
  return wait->status;
}

tuile_status load_session(tuile_session *s) {
  struct wait wait;
  if (!mode.queued) return tuile_session_load(s, NULL);
  begin_wait(&wait);
  return answer(&wait, tuile_queue_load(queue, s, complete, &wait, NULL, NULL));
}

tuile_status commit_session(tuile_session *s, tuile_add_header add_header, void *response) {
  struct wait wait;
  if (!mode.queued) return tuile_session_commit(s, 200, add_header, response, NULL);
  begin_wait(&wait);
  return answer(&wait, tuile_queue_commit(queue, s, 200, add_header, response, complete, &wait, NULL, NULL));
}

tuile_status flush_session(tuile_session *s) {
  struct wait wait;
  if (!mode.queued) return tuile_session_flush(s, NULL);
  begin_wait(&wait);
  return answer(&wait, tuile_queue_flush(queue, s, complete, &wait, NULL, NULL));
}

tuile_status revoke_sessions(tuile_bytes owner) {
  struct wait wait;
  if (!mode.queued) return tuile_manager_revoke_all(manager, owner, NULL, NULL, NULL);
  begin_wait(&wait);
  return answer(&wait, tuile_queue_revoke_all(queue, owner, NULL, NULL, complete, &wait, NULL, NULL));
}
