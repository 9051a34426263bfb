/* Many WebSockets in one thread: opens them, subscribes, publishes numbered events in Redis and counts what arrives.

   client PORT REDIS_PORT REDIS_DB TOPIC FIRST SOCKETS STALLED TOKEN QUERY rate SECONDS WINDOW
   client ...                                                        latency EVENTS PER_SECOND
   client ...                                                        events EVENTS WINDOW
   client ...                                                        all SECONDS WINDOW EVENTS PER_SECOND
   client ...                                                        idle

   Every event must reach every socket that reads, once and in order: another number than the next ends the program.
   STALLED sockets subscribe and then read nothing. REDIS_PASSWORD is taken from the environment, and so is SERVER, the
   process whose time is measured. Each line of its output is a JSON object. */
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

typedef struct {
    int fd;
    long last;
    size_t held;
    unsigned char *bytes;
} Socket;

static Socket *sockets;
static int count, stalled, redis, poll_fd;
static long first, published, delivered;
static double *sent_at;
static float *latencies;
static const char *topic;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list given;
    va_start(given, format);
    vfprintf(stderr, format, given);
    fputc('\n', stderr);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static int connected(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) fail("cannot connect to %d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void put(int fd, const void *bytes, size_t length) {
    const char *rest = bytes;
    while (length) {
        ssize_t done = write(fd, rest, length);
        if (done < 0) fail("cannot write: %s", strerror(errno));
        rest += done, length -= done;
    }
}

/* A client's frames are masked; with a mask of zeros the text stays as it is. */
static void put_frame(int fd, int opcode, const char *text, size_t length) {
    unsigned char head[8] = {0x80 | opcode};
    size_t size = 2;
    if (length < 126) head[1] = 0x80 | length;
    else head[1] = 0x80 | 126, head[2] = length >> 8, head[3] = length, size = 4;
    memset(head + size, 0, 4);
    put(fd, head, size + 4);
    put(fd, text, length);
}

static size_t payload_of(const unsigned char *frame, size_t held, size_t *length) {
    size_t begin = 2;
    if (held < 2) return 0;
    *length = frame[1] & 0x7f;
    if (*length == 126) {
        if (held < 4) return 0;
        *length = frame[2] << 8 | frame[3], begin = 4;
    } else if (*length == 127) fail("a frame is too long");
    return held < begin + *length ? 0 : begin;
}

static void hear(Socket *socket, const unsigned char *text, size_t length) {
    const char *found = memmem(text, length, "\"number\":", 9);
    if (!found) fail("not an event: %.*s", (int)length, text);
    long number = strtol(found + 9, NULL, 10);
    if (socket->last >= 0 && number != socket->last + 1) fail("%ld came after %ld", number, socket->last);
    socket->last = number;
    if (number < first) return;
    if (sent_at) latencies[delivered] = now() - sent_at[number - first];
    delivered++;
}

static void take(Socket *socket, const unsigned char *frame, size_t begin, size_t length) {
    switch (frame[0] & 0x0f) {
        case 1: hear(socket, frame + begin, length); break;
        case 8: fail("closed with %d %.*s", frame[begin] << 8 | frame[begin + 1], (int)length - 2, frame + begin + 2);
        case 9: put_frame(socket->fd, 10, (const char *)frame + begin, length); break;
        default: break;
    }
}

static void receive(Socket *socket) {
    unsigned char bytes[CHUNK];
    memcpy(bytes, socket->bytes, socket->held);
    ssize_t got = read(socket->fd, bytes + socket->held, sizeof bytes - socket->held);
    if (got == 0) fail("the server hung up");
    if (got < 0) {
        if (errno == EAGAIN) return;
        fail("cannot read: %s", strerror(errno));
    }
    size_t held = socket->held + got, at = 0, length, begin;
    while ((begin = payload_of(bytes + at, held - at, &length))) {
        take(socket, bytes + at, begin, length);
        at += begin + length;
    }
    socket->held = held - at;
    socket->bytes = realloc(socket->bytes, socket->held + 1);
    memcpy(socket->bytes, bytes + at, socket->held);
}

static void receive_all(int wait_ms) {
    struct epoll_event ready[512];
    int found = epoll_wait(poll_fd, ready, 512, wait_ms);
    for (int at = 0; at < found; at++) receive(ready[at].data.ptr);
}

static void publish(void) {
    char command[512], answer[256];
    long number = first + published++;
    if (sent_at) sent_at[number - first] = now();
    int length = snprintf(command, sizeof command,
        "XADD %s MAXLEN ~ 1000 %ld-0 n 1\r\nPUBLISH %s %ld\r\n", topic, number, topic, number);
    put(redis, command, length);
    for (int lines = 0; lines < 3;) { /* a bulk string of two lines, and a number */
        ssize_t got = read(redis, answer, sizeof answer);
        if (got <= 0 || answer[0] == '-') fail("Redis refuses: %.*s", (int)got, answer);
        for (ssize_t at = 0; at < got; at++) lines += answer[at] == '\n';
    }
}

static void expect(int fd, const char *wanted, const char *end, char *found, size_t size) {
    size_t held = 0;
    do {
        ssize_t got = read(fd, found + held, size - 1 - held);
        if (got <= 0) fail("the server says nothing");
        held += got, found[held] = 0;
    } while (!memmem(found, held, end, strlen(end)));
    if (!memmem(found, held, wanted, strlen(wanted))) fail("not %s: %s", wanted, found);
}

static void open_socket(Socket *socket, int port, int number, const char *token, const char *query) {
    char text[4096], found[4096];
    socket->fd = connected(port), socket->last = -1, socket->bytes = malloc(1);
    put(socket->fd, text, snprintf(text, sizeof text,
        "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n", port));
    expect(socket->fd, " 101 ", "\r\n\r\n", found, sizeof found);
    put_frame(socket->fd, 1, text, snprintf(text, sizeof text,
        "{\"type\":\"connection_init\",\"payload\":{\"token\":\"%s\"}}", token));
    expect(socket->fd, "connection_ack", "}", found, sizeof found);
    put_frame(socket->fd, 1, text, snprintf(text, sizeof text,
        "{\"type\":\"subscribe\",\"id\":\"%08x-0000-4000-8000-000000000000\",\"payload\":{\"query\":\"%s\"}}",
        number, query));
}

static void open_all(int port, const char *token, const char *query) {
    sockets = calloc(count + stalled, sizeof *sockets);
    for (int number = 0; number < count + stalled; number++) {
        Socket *socket = sockets + number;
        open_socket(socket, port, number, token, query);
        if (number >= count) continue;
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = socket};
        fcntl(socket->fd, F_SETFL, O_NONBLOCK);
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, socket->fd, &wanted)) fail("epoll: %s", strerror(errno));
        if (number % 100 == 99) receive_all(0); /* or pings of those before would wait too long for their answers */
    }
}

/* Everybody has heard of something before anything is counted. */
static void settle(void) {
    double until = now() + 60;
    for (int heard = 0; heard < count;) {
        double again = now() + 0.5;
        publish();
        while (now() < again) receive_all(50);
        heard = 0;
        for (int at = 0; at < count; at++) heard += sockets[at].last >= first;
        if (now() > until) fail("only %d of %d sockets hear anything", heard, count);
    }
    for (int behind = 1; behind;) {
        receive_all(50);
        behind = 0;
        for (int at = 0; at < count; at++) behind += sockets[at].last != first + published - 1;
        if (now() > until + 60) fail("%d of %d sockets have not heard everything", behind, count);
    }
    first += published, published = delivered = 0;
}

static double busy_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* What the server has used of its core. */
static double server_s(void) {
    char path[64], text[1024];
    long user, system;
    const char *server = getenv("SERVER");
    if (!server) return 0;
    snprintf(path, sizeof path, "/proc/%s/stat", server);
    FILE *file = fopen(path, "r");
    if (!file) fail("no process %s", server);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    if (sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2)
        fail("%s cannot be read", path);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static void all_arrive(void) {
    double until = now() + 60;
    while (delivered < published * count) {
        receive_all(100);
        if (now() > until) fail("%ld of %ld arrived", delivered, published * count);
    }
}

static void flood(double seconds, long events, int window) {
    double began = now(), busy = busy_s(), used = server_s();
    while ((events ? published < events : now() - began < seconds)) {
        while (published - delivered / count < window && (!events || published < events)) publish();
        receive_all(100);
    }
    all_arrive();
    double took = now() - began;
    used = server_s() - used;
    printf("{\"events\": %ld, \"per_s\": %.1f, \"per_server_s\": %.1f, \"busy\": %.3f}\n", published, delivered / took,
        used > 0 ? delivered / used : 0, (busy_s() - busy) / took);
}

static int by_size(const void *one, const void *other) {
    float difference = *(const float *)one - *(const float *)other;
    return (difference > 0) - (difference < 0);
}

static void trickle(long events, double per_s) {
    sent_at = calloc(events, sizeof *sent_at);
    latencies = calloc(events * count, sizeof *latencies);
    double began = now(), busy = busy_s();
    while (published < events) {
        double due = began + published / per_s;
        if (now() >= due) publish();
        else receive_all(1);
    }
    all_arrive();
    double took = now() - began;
    qsort(latencies, delivered, sizeof *latencies, by_size);
    printf("{\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, \"busy\": %.3f}\n", latencies[delivered / 2] * 1e3,
        latencies[delivered * 99 / 100] * 1e3, latencies[delivered - 1] * 1e3, (busy_s() - busy) / took);
}

/* What the server holds in memory. */
static long server_kib(void) {
    char path[64];
    long pages = 0;
    const char *server = getenv("SERVER");
    snprintf(path, sizeof path, "/proc/%s/statm", server ? server : "self");
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1) fail("%s cannot be read", path);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* First the one, then the other, so that everybody has to come in once. */
static void flood_and_trickle(char **words) {
    printf("{\"server_kib\": %ld}\n", server_kib());
    flood(atof(words[0]), 0, atoi(words[1]));
    first += published, published = delivered = 0;
    trickle(atol(words[2]), atof(words[3]));
}

int main(int given, char **words) {
    if (given < 11) fail("see the beginning of this file");
    char command[512], answer[256];
    int port = atoi(words[1]);
    redis = connected(atoi(words[2]));
    const char *password = getenv("REDIS_PASSWORD");
    if (password) {
        put(redis, command, snprintf(command, sizeof command, "AUTH %s\r\n", password));
        expect(redis, "+OK", "\n", answer, sizeof answer);
    }
    put(redis, command, snprintf(command, sizeof command, "SELECT %s\r\n", words[3]));
    expect(redis, "+OK", "\n", answer, sizeof answer);
    topic = words[4], first = atol(words[5]), count = atoi(words[6]), stalled = atoi(words[7]);
    poll_fd = epoll_create1(0);
    open_all(port, words[8], words[9]);
    const char *mode = words[10];
    if (!strcmp(mode, "idle")) {
        settle();
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF) {}
        return 0;
    }
    if (given < 13) fail("see the beginning of this file");
    settle();
    if (!strcmp(mode, "all")) {
        if (given < 15) fail("see the beginning of this file");
        flood_and_trickle(words + 11);
    } else if (!strcmp(mode, "latency")) trickle(atol(words[11]), atof(words[12]));
    else flood(atof(words[11]), strcmp(mode, "rate") ? atol(words[11]) : 0, atoi(words[12]));
    return 0;
}
