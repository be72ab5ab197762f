/* Clients that come back all at once, as after a deploy: one thread, one epoll, N WebSocket handshakes (RFC 6455).
 *
 *   storm PORT N AT_ONCE MARKER PING < REQUESTS
 *
 * REQUESTS are whole HTTP requests one after the other, each of which asks for a WebSocket; each handshake takes
 * the next one, and after the last the first again. A client has opened its socket when a frame with MARKER has
 * come, or with the upgrade if MARKER is empty. Up to AT_ONCE do so at a time. One who is refused tries again
 * after RETRY seconds, one who has waited for PATIENCE seconds at once. Another one, which came before, sends
 * PING every 10 ms, or a ping of the protocol if it is empty, unless the last one is still unanswered.
 * One JSON line says how it went; the sockets stay open until stdin, which then follows, is at its end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10.0
#define RETRY 1.0
#define PING_SECONDS 0.01
#define LIMIT 200.0                               /* seconds for all */

enum state { AWAY, CONNECTING, OPENING, OPEN };

struct client {
    int fd, state, upgraded;
    double began, attempt, again;                 /* when: the first attempt, this one, the next one */
    size_t size;
    unsigned char data[2048];                     /* what has come before it was open */
};

static int port, epoll;
static long under_way, open_count, refused, gave_up, next_request, request_count;
static char **requests;
static const char *marker;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void begin(struct client *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->fd < 0 || (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS))
        die("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    c->state = CONNECTING, c->upgraded = 0, c->size = 0;
    c->attempt = now();
    if (!c->began) c->began = c->attempt;
    under_way++;
}

static void end(struct client *c, double pause) {
    if (c->state == OPEN) { fprintf(stderr, "the server closed an open socket\n"); exit(1); }
    close(c->fd);
    c->state = AWAY;
    c->again = now() + pause;
    under_way--;
}

static void ask(struct client *c) {
    const char *request = requests[next_request++ % request_count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->state = OPENING;
    if (write(c->fd, request, strlen(request)) < 0) refused++, end(c, RETRY);
}

/* Takes what has come; returns 1 if the socket is open, -1 if it is refused, 0 if more has to come. */
static int take(struct client *c) {
    unsigned char *p = c->data, *last = c->data + c->size;
    if (!c->upgraded) {
        unsigned char *head = memmem(p, c->size, "\r\n\r\n", 4);
        if (!head) return c->size == sizeof c->data ? -1 : 0;
        if (memcmp(p, "HTTP/1.1 101", 12)) return -1;
        c->upgraded = head + 4 - c->data;
    }
    if (!*marker || memmem(p, c->size, marker, strlen(marker))) return 1;
    for (p += c->upgraded; p + 4 <= last; p += p[1] == 126 ? 4 + (p[2] << 8 | p[3]) : 2 + p[1])
        if ((p[0] & 15) == 8) return -1;
    return c->size == sizeof c->data ? -1 : 0;
}

static void readable(struct client *c) {
    static unsigned char rest[65536];
    unsigned char *to = c->state == OPEN ? rest : c->data + c->size;
    ssize_t got = read(c->fd, to, c->state == OPEN ? sizeof rest : sizeof c->data - c->size);
    if (got < 0 && errno == EAGAIN) return;
    int result = -1;
    if (got > 0 && c->state == OPEN) return;
    if (got > 0) c->size += got, result = take(c);
    if (result < 0) refused++, end(c, RETRY);
    if (result > 0) c->state = OPEN, under_way--, open_count++;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *sorted, long count, double q) {
    return count ? sorted[(long)(q * (count - 1) + 0.5)] * 1000 : -1;
}

int main(int argc, char **argv) {
    if (argc != 6) { fprintf(stderr, "usage: storm PORT N AT_ONCE MARKER PING < REQUESTS\n"); return 2; }
    long total = atol(argv[2]), at_once = atol(argv[3]), opened = 0, pings = 0, room = 0;
    const char *ping = argv[5];
    port = atoi(argv[1]), marker = argv[4], epoll = epoll_create1(0);

    char *line = NULL, *request = strdup("");
    size_t line_room = 0;
    while (getline(&line, &line_room, stdin) > 0 && strcmp(line, ".\n")) {
        char *longer;
        if (asprintf(&longer, "%s%s", request, line) < 0) die("asprintf");
        free(request), request = longer;
        if (strcmp(line, "\r\n")) continue;
        requests = realloc(requests, (request_count + 1) * sizeof *requests);
        requests[request_count++] = request, request = strdup("");
    }

    struct client *clients = calloc(total + 1, sizeof *clients), *pinger = &clients[total];
    double *taken = calloc(total, sizeof *taken), *pongs = NULL, sent = 0, due = 0, start = now();
    begin(pinger);
    while (open_count < total + 1) {
        double time = now();
        if (time - start > LIMIT) { fprintf(stderr, "only %ld are open after %g s\n", open_count, LIMIT); return 1; }
        if (pinger->state == OPEN) {
            if (!due) start = due = time;
            int turn = 50;                        /* so many at most, then look at what has come */
            for (struct client *c = clients; c < pinger && turn; c++) {
                if (c->state == AWAY && c->again <= time && under_way < at_once) begin(c), turn--;
                else if ((c->state == CONNECTING || c->state == OPENING) && time - c->attempt > PATIENCE)
                    gave_up++, end(c, 0);
            }
            if (!sent && time >= due) {
                unsigned char frame[64] = {*ping ? 0x81 : 0x89, 0x80 | strlen(ping)};
                memcpy(frame + 6, ping, strlen(ping));
                if (write(pinger->fd, frame, 6 + strlen(ping)) < 0) die("ping");
                sent = now(), due = sent + PING_SECONDS;
            }
        }
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, sent || under_way >= at_once ? 5 : 1);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            int before = c->state;
            if (before == CONNECTING) { ask(c); continue; }
            if (before == AWAY) continue;
            readable(c);
            if (c == pinger && before == OPEN && sent) {
                if (pings == room) pongs = realloc(pongs, (room = room * 2 + 1024) * sizeof *pongs);
                pongs[pings++] = now() - sent, sent = 0;
            } else if (c != pinger && c->state == OPEN && before != OPEN) taken[opened++] = now() - c->began;
        }
    }
    double seconds = now() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    qsort(taken, opened, sizeof *taken, compare);
    qsort(pongs, pings, sizeof *pongs, compare);
    printf("{\"seconds\": %.4f, \"per_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"refused\": %ld, "
           "\"gave_up\": %ld, \"ping_p99_ms\": %.2f, \"ping_max_ms\": %.2f, \"cpu\": %.3f}\n",
           seconds, total / seconds, quantile(taken, opened, 0.5), quantile(taken, opened, 0.99), refused,
           gave_up, quantile(pongs, pings, 0.99), quantile(pongs, pings, 1), cpu / seconds);
    fflush(stdout);
    while (getline(&line, &line_room, stdin) > 0) {}
    return 0;
}
