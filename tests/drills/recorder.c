/* Preloaded under a gateway: writes down, in order, when a mail's bytes reach the write-ahead log,
   when that log is flushed, and when the mail's 250 leaves. A mail is told by words of its own,
   `drill-NNNNNN-mark`, which must stand in it often enough to be whole on some page.

   W number     its bytes were written to the log
   S            a flush of the log has ended; B when it began
   R fd number  its bytes were read from a connection
   A fd         `250 2.0.0 Message accepted` was sent on it

   Where DRILL_JOURNAL names a file, everything that reaches the disk of the database goes there,
   too, so that the disk can be made again as it was at any moment: kind, file (`d`atabase or
   `l`og), place, length, bytes. W: these bytes were written there; T: the file was cut to that
   length; B, S: a flush of the file began, ended; A: the mail of that number heard 250.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char MARK[] = "drill-";
static const char ACCEPTED[] = "250 2.0.0 Message accepted";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

static void note(const char *line) {
    pthread_mutex_lock(&lock);
    if (out < 0) {
        const char *path = getenv("DRILL_RECORD");
        if (path) out = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    if (out >= 0) syscall(SYS_write, out, line, strlen(line));
    pthread_mutex_unlock(&lock);
}

/* `l`: the write-ahead log; `d`: the database; 0: another file. */
static char file_of(int fd) {
    char name[64], path[512];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, path, sizeof path - 1);
    if (n > 4 && memcmp(path + n - 4, "-wal", 4) == 0) return 'l';
    if (n > 3 && memcmp(path + n - 3, ".db", 3) == 0) return 'd';
    return 0;
}

static int is_log(int fd) { return file_of(fd) == 'l'; }

/* ---- the journal */

static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -2; /* -2: not asked for yet; -1: none */
static char number_on[65536][8];

struct __attribute__((packed)) head {
    char kind, file;
    uint64_t at;
    uint32_t size;
};

static int journals(void) {
    if (journal == -2) {
        const char *path = getenv("DRILL_JOURNAL");
        journal = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    }
    return journal >= 0;
}

static void entry(char kind, char file, uint64_t at, const void *data, size_t size) {
    struct head head = {kind, file, at, (uint32_t)size};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, size}};
    pthread_mutex_lock(&journal_lock);
    if (journals()) syscall(SYS_writev, journal, parts, size ? 2 : 1);
    pthread_mutex_unlock(&journal_lock);
}

static void journalled(int fd, const void *data, size_t size, uint64_t at) {
    char file = journals() ? file_of(fd) : 0;
    if (file) entry('W', file, at, data, size);
}

static int is_socket(int fd) {
    int kind;
    socklen_t size = sizeof kind;
    int before = errno;
    int is = getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0;
    errno = before;
    return is;
}

/* Every whole mark in these bytes, once each while the same one repeats. */
static void marks(const char *kind, int fd, const char *data, size_t size) {
    char line[64], last[7] = "";
    const char *end = data + size, *at = data;
    while (at && at < end) {
        at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1);
        if (!at || end - at < 17) return;
        at += sizeof MARK - 1;
        if (memcmp(at + 6, "-mark", 5) != 0 || memcmp(at, last, 6) == 0) continue;
        memcpy(last, at, 6);
        if (kind[0] == 'R') {
            if (fd < 65536) memcpy(number_on[fd], at, 6);
            snprintf(line, sizeof line, "R %d %.6s\n", fd, at);
        } else snprintf(line, sizeof line, "W %.6s\n", at);
        note(line);
    }
}

static void heard(int fd, const char *data, size_t size) {
    if (is_socket(fd)) marks("R", fd, data, size);
}

static void said(int fd, const char *data, size_t size) {
    if (memmem(data, size, ACCEPTED, sizeof ACCEPTED - 1) && is_socket(fd)) {
        char line[32];
        snprintf(line, sizeof line, "A %d\n", fd);
        note(line);
        if (fd < 65536 && number_on[fd][0] && journals())
            entry('A', '-', strtoull(number_on[fd], NULL, 10), NULL, 0);
    }
}

#define REAL(name, type) \
    static type real; \
    if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*writev_t)(int, const struct iovec *, int);
typedef ssize_t (*read_t)(int, void *, size_t);
typedef ssize_t (*send_t)(int, const void *, size_t, int);
typedef ssize_t (*recv_t)(int, void *, size_t, int);
typedef ssize_t (*message_t)(int, const struct msghdr *, int);
typedef ssize_t (*received_t)(int, struct msghdr *, int);
typedef int (*sync_t)(int);
typedef int (*cut_t)(int, off64_t);

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL("pwrite64", pwrite_t);
    ssize_t done = real(fd, data, size, at);
    if (done > 0 && is_log(fd)) marks("W", fd, data, (size_t)done);
    if (done > 0) journalled(fd, data, (size_t)done, (uint64_t)at);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return pwrite64(fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL("write", write_t);
    said(fd, data, size);
    ssize_t done = real(fd, data, size);
    if (done > 0 && is_log(fd)) marks("W", fd, data, (size_t)done);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL("writev", writev_t);
    for (int i = 0; i < count; i++) said(fd, parts[i].iov_base, parts[i].iov_len);
    return real(fd, parts, count);
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL("send", send_t);
    said(fd, data, size);
    return real(fd, data, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL("sendmsg", message_t);
    for (size_t i = 0; i < message->msg_iovlen; i++)
        said(fd, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    return real(fd, message, flags);
}

ssize_t read(int fd, void *data, size_t size) {
    REAL("read", read_t);
    ssize_t done = real(fd, data, size);
    if (done > 0) heard(fd, data, (size_t)done);
    return done;
}

ssize_t recv(int fd, void *data, size_t size, int flags) {
    REAL("recv", recv_t);
    ssize_t done = real(fd, data, size, flags);
    if (done > 0) heard(fd, data, (size_t)done);
    return done;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    REAL("recvmsg", received_t);
    ssize_t done = real(fd, message, flags);
    if (done > 0 && message->msg_iovlen > 0)
        heard(fd, message->msg_iov[0].iov_base,
              (size_t)done < message->msg_iov[0].iov_len ? (size_t)done : message->msg_iov[0].iov_len);
    return done;
}

static int flushed(sync_t real, int fd) {
    char file = file_of(fd);
    if (file == 'l') note("B\n");
    if (file && journals()) entry('B', file, 0, NULL, 0);
    int done = real(fd);
    if (file == 'l' && done == 0) note("S\n");
    if (file && done == 0 && journals()) entry('S', file, 0, NULL, 0);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    REAL("ftruncate64", cut_t);
    int done = real(fd, size);
    char file = done == 0 && journals() ? file_of(fd) : 0;
    if (file) entry('T', file, (uint64_t)size, NULL, 0);
    return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fsync(int fd) {
    REAL("fsync", sync_t);
    return flushed(real, fd);
}

int fdatasync(int fd) {
    REAL("fdatasync", sync_t);
    return flushed(real, fd);
}
