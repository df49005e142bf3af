/* The provider that `make bench` measures against: one thread, loopback only, answers from memory.
 *
 *   upstream <answer.json> <failure.json> <events.txt>      prints its port, then serves until it is killed
 *
 *   any method, path:  /answer/...                 200, the answer
 *                      /fail/...                   500, the failure
 *                      /stream/<interval_us>/...   200, server-sent events: one write(2) for each line of events.txt
 *                      /counters                   200, {"answer": n, "fail": n, "stream": n, "event": n}
 *                      anything else               404
 *
 * The counters are how the harness knows that each request really came this far.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { FD_MAX = 8192, HEAD_MAX = 16384, EVENTS_MAX = 1024, READ_SIZE = 65536 };

struct bytes {
    char *data;
    size_t size;
};

struct connection {
    int fd;
    size_t head_size;       /* bytes of an unfinished request head kept in `head` */
    size_t body_left;       /* bytes of the request body still to come, thrown away */
    int64_t next_event_ns;  /* 0: no stream under way */
    int64_t interval_ns;
    int event;              /* index of the stream's next event */
    char path[256];         /* of the request whose body is being read; empty between requests */
    char head[HEAD_MAX];
};

static struct bytes answer, failure, not_found, stream_head, events[EVENTS_MAX];
static int event_count, timer_fd, epoll_fd;
static struct connection *connections[FD_MAX];
static int fd_high;  /* no connection has a higher descriptor */
static int streams_open;
static unsigned long answers_sent, failures_sent, streams_started, events_sent;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void refuse(const char *why) {
    fprintf(stderr, "upstream: %s\n", why);
    exit(1);
}

static void *need(void *memory) {
    if (!memory) die("memory");
    return memory;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct bytes read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *data = need(calloc(1, size + 1));
    if (fread(data, 1, size, file) != size) die(path);
    fclose(file);
    return (struct bytes){data, size};
}

static struct bytes response(const char *status, struct bytes body) {
    char *data = need(malloc(body.size + 256));
    int head = sprintf(data, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status, body.size);
    memcpy(data + head, body.data, body.size);
    return (struct bytes){data, (size_t)head + body.size};
}

/* Each line becomes one chunk that holds one event; the last one also ends the body. */
static void read_events(const char *path) {
    struct bytes file = read_file(path);
    for (char *line = strtok(file.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (event_count == EVENTS_MAX) refuse("too many events");
        size_t size = strlen(line);
        char *data = need(malloc(size + 64));
        int used = sprintf(data, "%zx\r\ndata: %s\n\n\r\n", size + 8, line);
        events[event_count++] = (struct bytes){data, (size_t)used};
    }
    if (!event_count) refuse("no events");
    struct bytes *last = &events[event_count - 1];
    memcpy(last->data + last->size, "0\r\n\r\n", 5);
    last->size += 5;
}

static void hang_up(struct connection *c) {
    streams_open -= c->next_event_ns != 0;
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

/* A reader so slow that the socket buffer is full is dropped: the harness then sees an error, never a skewed figure. */
static int send_all(struct connection *c, struct bytes b) {
    return send(c->fd, b.data, b.size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)b.size;
}

static int send_counters(struct connection *c) {
    char text[256];
    int size = snprintf(text, sizeof text, "{\"answer\": %lu, \"fail\": %lu, \"stream\": %lu, \"event\": %lu}",
                        answers_sent, failures_sent, streams_started, events_sent);
    struct bytes whole = response("200 OK", (struct bytes){text, (size_t)size});
    int sent = send_all(c, whole);
    free(whole.data);
    return sent;
}

static int send_event(struct connection *c, int64_t now) {
    if (!send_all(c, events[c->event])) return 0;
    events_sent++;
    streams_open += c->event == 0;
    if (++c->event == event_count) {
        c->next_event_ns = 0;
        streams_open--;
        return 1;
    }
    /* Streams that began together are set apart, so that a relay meets them one by one as it would in life. One that is
     * alone is not: its delay would differ from one program's descriptor to the next, and be taken for the program's. */
    int64_t apart = c->event == 1 && streams_open > 1 ? (int64_t)c->fd * 7919000 % (c->interval_ns + 1) : 0;
    c->next_event_ns = (c->event == 1 ? now : c->next_event_ns) + c->interval_ns + apart;
    return 1;
}

static int start_stream(struct connection *c) {
    streams_started++;
    c->interval_ns = atoll(c->path + strlen("/stream/")) * 1000;
    c->event = 0;
    return send_all(c, stream_head) && send_event(c, now_ns());
}

static int answer_request(struct connection *c) {
    if (!strncmp(c->path, "/answer/", 8)) return answers_sent++, send_all(c, answer);
    if (!strncmp(c->path, "/fail/", 6)) return failures_sent++, send_all(c, failure);
    if (!strncmp(c->path, "/stream/", 8)) return start_stream(c);
    if (!strcmp(c->path, "/counters")) return send_counters(c);
    return send_all(c, not_found);
}

/* Reads path and body size from a whole head. Bodies must have a Content-Length: a relay that rewrites them knows it. */
static int read_head(struct connection *c, char *head) {
    if (strcasestr(head, "\ntransfer-encoding:")) return 0;
    if (sscanf(head, "%*15s %255s", c->path) != 1) return 0;
    char *length = strcasestr(head, "\ncontent-length:");
    c->body_left = length ? strtoul(length + 16, NULL, 10) : 0;
    return 1;
}

/* Takes what arrived; returns 0 when the connection is to be closed. */
static int take(struct connection *c, char *data, size_t size) {
    while (size || c->path[0]) {
        if (c->path[0]) {
            size_t body = size < c->body_left ? size : c->body_left;
            data += body, size -= body, c->body_left -= body;
            if (c->body_left) return 1;
            int sent = answer_request(c);
            c->path[0] = 0;
            if (!sent) return 0;
            continue;
        }
        char joined[HEAD_MAX + READ_SIZE];  /* head_size <= HEAD_MAX and size < READ_SIZE: a zero still fits */
        memcpy(joined, c->head, c->head_size);
        memcpy(joined + c->head_size, data, size);
        joined[c->head_size + size] = 0;
        char *end = strstr(joined, "\r\n\r\n");
        if (!end) {
            if (c->head_size + size > HEAD_MAX) return 0;
            memcpy(c->head, joined, c->head_size + size);
            c->head_size += size;
            return 1;
        }
        end[2] = 0;
        size_t used = (size_t)(end + 4 - joined) - c->head_size;
        c->head_size = 0;
        data += used, size -= used;
        if (!read_head(c, joined)) return 0;
    }
    return 1;
}

static void accept_connection(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= FD_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct connection *c = need(calloc(1, sizeof *c));
    c->fd = fd;
    connections[fd] = c;
    if (fd > fd_high) fd_high = fd;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void read_connection(struct connection *c) {
    static char buffer[READ_SIZE];
    ssize_t size = recv(c->fd, buffer, sizeof buffer - 1, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0 || !take(c, buffer, (size_t)size)) hang_up(c);
}

static void send_due_events(void) {
    int64_t now = now_ns();
    for (int fd = 0; fd <= fd_high; fd++) {
        struct connection *c = connections[fd];
        while (c && c->next_event_ns && c->next_event_ns <= now)
            if (!send_event(c, now)) hang_up(c), c = NULL;
    }
}

static void arm_timer(void) {
    int64_t first = 0;
    for (int fd = 0; fd <= fd_high; fd++) {
        struct connection *c = connections[fd];
        if (c && c->next_event_ns && (!first || c->next_event_ns < first)) first = c->next_event_ns;
    }
    struct itimerspec when = {.it_value = {first / 1000000000, first % 1000000000}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int listen_on_loopback(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024)) die("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: upstream <answer.json> <failure.json> <events.txt>\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    answer = response("200 OK", read_file(argv[1]));
    failure = response("500 Internal Server Error", read_file(argv[2]));
    not_found = response("404 Not Found", (struct bytes){"{}", 2});
    char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream_head = (struct bytes){head, sizeof head - 1};
    read_events(argv[3]);

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int listener = listen_on_loopback();
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = timer_fd});
    for (;;) {
        struct epoll_event ready[256];
        int count = epoll_wait(epoll_fd, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            uint64_t ticks;
            if (fd == listener) accept_connection(listener);
            else if (fd == timer_fd) (void)!read(timer_fd, &ticks, sizeof ticks);
            else if (connections[fd]) read_connection(connections[fd]);
        }
        send_due_events();
        arm_timer();
    }
}
