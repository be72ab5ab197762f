/* Load generator of the fan-out benchmark: one thread, one epoll, N WebSocket clients (RFC 6455).
 *
 *   load PORT PATH N [-H 'Name: value'] [-s TEXT] [-r MARKER] [-z STALLED] [-g GROUPS]
 *
 * It opens N sockets on PATH and one on /trigger. Each text sent to /trigger is an event that the server
 * has to deliver to all N. An event carries "seq":<number>, by which every socket checks that it gets each
 * one once and in order; latency is the time from writing the trigger to having read the event.
 *   -s  text to send when a socket has opened (socket.io: 40)
 *   -r  a socket is ready when a text with this marker has come (default: as soon as it is open)
 *   -z  so many further sockets connect and then never read
 *   -g  the sockets are spread over so many groups: PATH?group=<number> leads to one, an event goes to the
 *       group that it names as "group":<number>, one group after the other (default: all get all)
 * Commands on stdin, one JSON line on stdout for each:
 *   run SECONDS EVENTS WINDOW GAP BYTES
 *       events of BYTES bytes until SECONDS and EVENTS (at least one) are both past, never more than WINDOW
 *       of them undelivered, GAP ms between the end of one and the start of the next
 *   resume        the stalled sockets read all that is there: how many bytes, what close code
 * An event that makes no progress for 10 s ends the run; what is missing is reported as lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="            /* the key and the answer of RFC 6455, section 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define MAX_EVENTS 1000000                        /* of all runs together */
#define MAX_CONNECTING 100
#define PATIENCE 10.0                             /* seconds */

enum state { CONNECTING, UPGRADING, OPEN, READY, CLOSED };

struct client {
    int fd, state, close_code, is_member, is_stalled, group;
    long next_seq;                                /* the event that has to come next */
    unsigned char *rest;                          /* start of a frame that has not come whole */
    size_t rest_size;
};

static int port, epoll, connecting, ready, closed;
static const char *path, *extra_header = "", *hello, *ready_marker;
static struct client *clients;                    /* members, then stalled ones, then the trigger */
static int members, stalled, groups = 1, *in_group; /* open members of each */

static double started[MAX_EVENTS], finished[MAX_EVENTS];
static int missing[MAX_EVENTS];
static long published, delivered_events, first_of_run, deliveries, lost, repeated;
static double *latencies, last_progress;
static size_t latency_count, latency_room;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void write_all(int fd, const void *data, size_t size) {
    while (size) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EAGAIN) { usleep(50); continue; }
        if (done < 0) return;                     /* the next read reports the closed connection */
        data = (const char *)data + done;
        size -= done;
    }
}

/* A client must mask its frames; a mask of zeros leaves the payload as it is. */
static void send_frame(int fd, int opcode, const void *payload, size_t size) {
    unsigned char *frame = malloc(size + 14), *p = frame;
    *p++ = 0x80 | opcode;
    if (size < 126) *p++ = 0x80 | size;
    else if (size < 65536) { *p++ = 0x80 | 126; *p++ = size >> 8; *p++ = size; }
    else { *p++ = 0x80 | 127; for (int i = 56; i >= 0; i -= 8) *p++ = (uint64_t)size >> i; }
    memset(p, 0, 4);
    memcpy(p + 4, payload, size);
    write_all(fd, frame, p + 4 + size - frame);
    free(frame);
}

static void open_client(struct client *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket: %s", strerror(errno));
    int one = 1, small = 4096;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->is_stalled) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    c->state = CONNECTING;
    connecting++;
}

static void close_client(struct client *c) {
    if (c->state < READY) die("%s: the server closed a socket before it was ready", path);
    epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    c->state = CLOSED;
    closed += c->is_member;
    if (c->is_member) in_group[c->group]--;
}

static void become_ready(struct client *c) {
    c->state = READY;
    ready++;
    connecting--;
    if (c->is_stalled) epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
}

static void upgrade(struct client *c) {
    char request[4096], query[30] = "";
    if (groups > 1 && c->is_member) sprintf(query, "%cgroup=%d", strchr(path, '?') ? '&' : '?', c->group);
    int size = snprintf(request, sizeof request,
        "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
        c == &clients[members + stalled] ? "/trigger" : path, query, port, extra_header, *extra_header ? "\r\n" : "");
    write_all(c->fd, request, size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->state = UPGRADING;
}

static void receive_event(struct client *c, long seq) {
    if (seq < first_of_run) return;               /* late: its run has ended, where it counted as lost */
    if (seq < c->next_seq || seq >= published || seq % groups != c->group) { repeated++; return; }
    lost += (seq - c->next_seq) / groups;
    c->next_seq = seq + groups;
    double time = now();
    last_progress = time;
    deliveries++;
    if (latency_count == latency_room)
        latencies = realloc(latencies, (latency_room = latency_room * 2 + 65536) * sizeof *latencies);
    latencies[latency_count++] = time - started[seq];
    if (--missing[seq] == 0) { finished[seq] = time; delivered_events++; }
}

static void receive_text(struct client *c, const char *text, size_t size) {
    if (c->state == OPEN && (!ready_marker || memmem(text, size, ready_marker, strlen(ready_marker))))
        become_ready(c);
    const char *found = memmem(text, size < 120 ? size : 120, "\"seq\":", 6);
    if (found && c->is_member) receive_event(c, strtol(found + 6, NULL, 10));
    else if (size == 1 && *text == '2') send_frame(c->fd, 1, "3", 1);     /* the ping of socket.io */
}

/* Handles one whole frame (or the answer to the upgrade) and returns its size, 0 if it is not all there. */
static size_t take(struct client *c, unsigned char *data, size_t size) {
    if (c->state == UPGRADING) {
        unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end) return 0;
        if (size < 12 || memcmp(data, "HTTP/1.1 101", 12) || !memmem(data, end - data, ACCEPT, strlen(ACCEPT)))
            die("%s: upgrade refused: %.*s", path, (int)(end - data), data);
        c->state = OPEN;
        if (c->is_member && hello) send_frame(c->fd, 1, hello, strlen(hello));
        if (!c->is_member || !ready_marker) become_ready(c);
        return end + 4 - data;
    }
    if (size < 2) return 0;
    size_t head = 2, length = data[1];
    if (length > 127) die("a server must not mask its frames");
    if (length == 126) head = 4;
    if (length == 127) head = 10;
    if (size < head) return 0;
    if (head > 2) {
        length = 0;
        for (size_t i = 2; i < head; i++) length = length << 8 | data[i];
    }
    if (size < head + length) return 0;
    if ((data[0] & 0xf0) != 0x80) die("unexpected fragment or compressed frame");
    unsigned char *payload = data + head;
    switch (data[0] & 0x0f) {
    case 1: receive_text(c, (char *)payload, length); break;
    case 8:
        c->close_code = length >= 2 ? payload[0] << 8 | payload[1] : 1005;
        send_frame(c->fd, 8, payload, length >= 2 ? 2 : 0);
        close_client(c);
        break;
    case 9: send_frame(c->fd, 10, payload, length); break;
    case 10: break;
    default: die("unexpected opcode %d", data[0] & 0x0f);
    }
    return head + length;
}

static void readable(struct client *c) {
    static unsigned char buffer[1 << 20];
    if (c->rest_size) memcpy(buffer, c->rest, c->rest_size);
    ssize_t got = read(c->fd, buffer + c->rest_size, sizeof buffer - c->rest_size);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        c->close_code = 1006;
        close_client(c);
        return;
    }
    size_t size = c->rest_size + got, used = 0, taken;
    while (c->state != CLOSED && used < size && (taken = take(c, buffer + used, size - used))) used += taken;
    if (size - used == sizeof buffer) die("a frame of more than %zu bytes", sizeof buffer);
    if (size - used || c->rest_size) {
        c->rest = realloc(c->rest, size - used + 1);
        memcpy(c->rest, buffer + used, c->rest_size = size - used);
    }
}

/* One turn of the loop; returns whether there is a command to read. */
static int turn(int timeout_ms) {
    struct epoll_event events[256];
    int command = 0, count = epoll_wait(epoll, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;
        if (!c) command = 1;
        else if (c->state == CONNECTING) upgrade(c);
        else if (c->state != CLOSED) readable(c);
    }
    return command;
}

static void publish(size_t bytes) {
    static char event[1 << 20];
    if (published == MAX_EVENTS) die("more than %d events", MAX_EVENTS);
    size_t head = sprintf(event, "{\"type\":\"bench\",\"seq\":%ld,", published);
    if (groups > 1) head += sprintf(event + head, "\"group\":%ld,", published % groups);
    head += sprintf(event + head, "\"pad\":\"");
    if (bytes < head + 2 || bytes >= sizeof event) die("an event cannot have %zu bytes", bytes);
    memset(event + head, 'x', bytes - head - 2);
    memcpy(event + bytes - 2, "\"}", 2);
    missing[published] = in_group[published % groups];
    started[published] = last_progress = now();
    published++;
    send_frame(clients[members + stalled].fd, 1, event, bytes);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *sorted, size_t count, double q) {
    return count ? sorted[(size_t)(q * (count - 1) + 0.5)] * 1000 : -1;
}

static void run(double seconds, long events, long window, double gap, size_t bytes) {
    double begin = now(), cpu = cpu_seconds(), pause_until = 0;
    first_of_run = published;
    long done = delivered_events;
    deliveries = lost = repeated = latency_count = 0;
    for (;;) {
        double time = now();
        int enough = time - begin >= seconds && published - first_of_run >= events && published > first_of_run;
        if (delivered_events - done == published - first_of_run) {           /* nothing is under way */
            if (enough) break;
            if (gap && published > first_of_run && !pause_until) pause_until = time + gap;
        } else if (time - last_progress > PATIENCE) break;
        if (!enough && time >= pause_until && published - first_of_run - (delivered_events - done) < window) {
            publish(bytes);
            pause_until = 0;
            continue;
        }
        turn(pause_until ? 1 : 100);
    }
    double wall = last_progress - begin;
    long count = published - first_of_run;
    double *last = malloc(count * sizeof *last);
    size_t complete = 0;
    for (long k = first_of_run; k < published; k++) {
        if (missing[k] == 0) last[complete++] = finished[k] - started[k];
        missing[k] = -1;                                                      /* what still comes does not count */
    }
    for (struct client *c = clients; c < clients + members; c++) {
        for (; c->next_seq < published; c->next_seq += groups) lost++;
        if (c->state == CLOSED) c->next_seq = MAX_EVENTS;                      /* these count once */
    }
    qsort(last, complete, sizeof *last, compare);
    qsort(latencies, latency_count, sizeof *latencies, compare);
    printf("{\"events\": %ld, \"deliveries\": %ld, \"lost\": %ld, \"repeated\": %ld, \"closed\": %d, \"seconds\": %.6f, "
           "\"deliveries_per_second\": %.1f, \"last_ms\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"cpu\": %.4f}\n",
           count, deliveries, lost, repeated, closed, wall, deliveries / wall, quantile(last, complete, 0.5),
           quantile(latencies, latency_count, 0.5), quantile(latencies, latency_count, 0.99),
           quantile(latencies, latency_count, 1), (cpu_seconds() - cpu) / (now() - begin));
    free(last);
}

/* Reads all that waits for the stalled sockets, until it is closed or silent for a second. */
static void resume(void) {
    long bytes = 0;
    int code = 0;
    for (struct client *c = clients + members; c < clients + members + stalled; c++) {
        static unsigned char tail[64], buffer[65536];
        double silent_since = now();
        while (now() - silent_since < 1) {
            ssize_t got = read(c->fd, buffer, sizeof buffer);
            if (got == 0 || (got < 0 && errno != EAGAIN)) { code = code ? code : 1006; break; }
            if (got < 0) { usleep(1000); continue; }
            bytes += got;
            silent_since = now();
            if (got >= 64) memcpy(tail, buffer + got - 64, 64);
            else { memmove(tail, tail + got, 64 - got); memcpy(tail + 64 - got, buffer, got); }
            for (int i = 0; i < 60; i++)          /* a close frame is the last thing that a server sends */
                if (tail[i] == 0x88 && tail[i + 1] >= 2 && i + 2 + tail[i + 1] == 64) code = tail[i + 2] << 8 | tail[i + 3];
        }
    }
    printf("{\"bytes\": %ld, \"close_code\": %d}\n", bytes, code);
}

int main(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "H:s:r:z:g:")) != -1) {
        if (option == 'H') extra_header = optarg;
        else if (option == 's') hello = optarg;
        else if (option == 'r') ready_marker = optarg;
        else if (option == 'z') stalled = atoi(optarg);
        else if (option == 'g') groups = atoi(optarg);
        else return 2;
    }
    if (argc - optind != 3) die("usage: load PORT PATH N [-H 'Name: value'] [-s TEXT] [-r MARKER] [-z STALLED] [-g GROUPS]");
    port = atoi(argv[optind]);
    path = argv[optind + 1];
    members = atoi(argv[optind + 2]);
    int total = members + stalled + 1, opened = 0;
    clients = calloc(total, sizeof *clients);
    in_group = calloc(groups, sizeof *in_group);
    for (int i = 0; i < members; i++) {
        clients[i].is_member = 1;
        clients[i].next_seq = clients[i].group = i % groups;
        in_group[i % groups]++;
    }
    for (int i = members; i < members + stalled; i++) clients[i].is_stalled = 1;
    epoll = epoll_create1(0);
    setvbuf(stdout, NULL, _IOLBF, 0);

    double begin = now();
    while (ready < total) {
        while (opened < total && connecting < MAX_CONNECTING) open_client(&clients[opened++]);
        turn(100);
        if (now() - begin > 300) die("%s: only %d of %d sockets are ready after 300 s", path, ready, total);
    }
    printf("{\"sockets\": %d, \"handshakes_per_second\": %.1f}\n", total, total / (now() - begin));

    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    char line[200];
    for (;;) {
        if (!turn(1000)) continue;
        double seconds, gap;
        long events, window, bytes;
        if (!fgets(line, sizeof line, stdin)) return 0;
        if (sscanf(line, "run %lf %ld %ld %lf %ld", &seconds, &events, &window, &gap, &bytes) == 5)
            run(seconds, events, window, gap / 1000, bytes);
        else if (!strncmp(line, "resume", 6)) resume();
        else die("unknown command: %s", line);
    }
}
