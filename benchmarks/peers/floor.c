/* The floor of the fan-out: one thread, one epoll, and a loop over send() of a frame that is ready.
 *
 *   floor PORT
 *
 * What it takes is the kernel's share, which no server can go below that sends to each socket by itself. It
 * knows only load.c as a client: requests and events come whole, and nobody is slow to read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define STEP 0.002                                /* seconds; the grid of lags, as in measured.py */
#define MAX_LAGS 100000
#define UPGRADED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"     /* to the only key of load.c */

enum kind { NEW, MEMBER, TRIGGER };

static int *members, count;                       /* file descriptors */
static unsigned char *kinds;                      /* by file descriptor */
static double lags[MAX_LAGS];
static int lag_count;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const void *data, size_t size) {
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) die("send");
}

static void fan_out(const unsigned char *text, size_t size) {
    static unsigned char frame[1 << 16] = {0x81};
    size_t head = 2;
    if (size < 126) frame[1] = size;
    else { frame[1] = 126; frame[2] = size >> 8; frame[3] = size; head = 4; }
    memcpy(frame + head, text, size);
    for (int i = 0; i < count; i++) send_all(members[i], frame, head + size);
}

static void receive_events(unsigned char *data, unsigned char *end) {
    while (data < end) {
        size_t size = data[1] & 127;
        unsigned char *mask = data + 2;
        if (size == 126) { size = data[2] << 8 | data[3]; mask += 2; }
        unsigned char *text = mask + 4;
        for (size_t i = 0; i < size; i++) text[i] ^= mask[i & 3];
        fan_out(text, size);
        data = text + size;
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report_lag(int fd) {
    char body[100], answer[300];
    qsort(lags, lag_count, sizeof *lags, compare);
    int size = sprintf(body, "{\"p99\": %.3f}", lag_count ? lags[(int)(lag_count * 0.99)] * 1000 : 0);
    size = sprintf(answer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", size, body);
    send_all(fd, answer, size);
    lag_count = 0;
}

static void leave(int fd) {
    for (int i = 0; i < count; i++)
        if (members[i] == fd) { members[i] = members[--count]; break; }
    close(fd);
}

static void readable(int fd) {
    static unsigned char data[1 << 16];
    ssize_t size = recv(fd, data, sizeof data - 1, 0);
    if (size <= 0) return leave(fd);
    data[size] = 0;
    if (kinds[fd] == TRIGGER) receive_events(data, data + size);
    else if (kinds[fd] == NEW && !strncmp((char *)data, "GET /lag ", 9)) report_lag(fd);
    else if (kinds[fd] == NEW) {
        kinds[fd] = strncmp((char *)data, "GET /trigger ", 13) ? MEMBER : TRIGGER;
        if (kinds[fd] == MEMBER) members[count++] = fd;
        send_all(fd, UPGRADED, strlen(UPGRADED));
    }                                             /* what members say, a close frame, needs no answer */
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    members = calloc(limit.rlim_max, sizeof *members);
    kinds = calloc(limit.rlim_max, 1);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, epoll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048)) die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (double due = now() + STEP;;) {
        int happened = epoll_wait(epoll, events, 256, 2);
        for (double time = now(); due <= time; due += STEP)
            if (lag_count < MAX_LAGS) lags[lag_count++] = time - due;
        for (int i = 0; i < happened; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) { readable(fd); continue; }
            if ((fd = accept(listener, NULL, NULL)) < 0) die("accept");
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            kinds[fd] = NEW;
            event.data.fd = fd;
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
