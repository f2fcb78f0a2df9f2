#define _GNU_SOURCE
#include "csystem.h"

#include <time.h>

enum { WAITING, TAKEN, LEADS, DONE };

static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

void sys_group_init(sys_group *group) { *group = (sys_group){.mutex = fresh, .end = &group->first}; }

void sys_group_destroy(sys_group *group) { pthread_mutex_destroy(&group->mutex); }

/* By the clock that nobody sets. */
static void make_turn(pthread_cond_t *turn) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(turn, &attributes);
  pthread_condattr_destroy(&attributes);
}

static void leave_line(sys_group *group, const sys_group_entry *entry) {
  sys_group_entry **link = &group->first;
  while (*link != entry) link = &(*link)->next;
  *link = entry->next;
  if (group->end == &entry->next) group->end = link;
}

/* Waits in line for its turn; what is taken by a leader is waited for, however long that takes. */
static int wait_for_turn(sys_group *group, sys_group_entry *entry, int milliseconds) {
  struct timespec until = sys_in_milliseconds(milliseconds);
  while (entry->state == WAITING)
    if (pthread_cond_timedwait(&entry->turn, &group->mutex, &until) == ETIMEDOUT && entry->state == WAITING) {
      leave_line(group, entry);
      return SYS_GROUP_LATE;
    }
  while (entry->state == TAKEN) pthread_cond_wait(&entry->turn, &group->mutex);
  return entry->state == LEADS ? SYS_GROUP_LEADS : SYS_GROUP_DONE;
}

int sys_group_enter(sys_group *group, sys_group_entry *entry, int milliseconds) {
  int turn = SYS_GROUP_LEADS;
  pthread_mutex_lock(&group->mutex);
  if (group->led) {
    entry->next = NULL;
    entry->state = WAITING;
    make_turn(&entry->turn);
    *group->end = entry;
    group->end = &entry->next;
    turn = wait_for_turn(group, entry, milliseconds);
    pthread_cond_destroy(&entry->turn);
  } else {
    group->led = true;
  }
  pthread_mutex_unlock(&group->mutex);
  return turn;
}

sys_group_entry *sys_group_take(sys_group *group, int most) {
  pthread_mutex_lock(&group->mutex);
  sys_group_entry *taken = most > 0 ? group->first : NULL, **link = &group->first;
  for (; *link && most > 0; most--) {
    (*link)->state = TAKEN;
    link = &(*link)->next;
  }
  if (taken) {
    group->first = *link;
    *link = NULL;
    if (!group->first) group->end = &group->first;
  }
  pthread_mutex_unlock(&group->mutex);
  return taken;
}

void sys_group_leave(sys_group *group, sys_group_entry *taken) {
  pthread_mutex_lock(&group->mutex);
  for (sys_group_entry *entry = taken, *next; entry; entry = next) {
    /* It is gone as soon as its thread runs, which needs the mutex. */
    next = entry->next;
    entry->state = DONE;
    pthread_cond_signal(&entry->turn);
  }
  sys_group_entry *leader = group->first;
  if (leader) {
    leave_line(group, leader);
    leader->state = LEADS;
    pthread_cond_signal(&leader->turn);
  } else {
    group->led = false;
  }
  pthread_mutex_unlock(&group->mutex);
}
