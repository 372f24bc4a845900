/* A disk that fails when it is told to: preloaded into a process, it looks for files in the directory FAULTY_DISK. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#define NFS 0x6969

static int told(const char *fault) {
  const char *directory = getenv("FAULTY_DISK");
  char path[4096];
  if (directory == NULL) return 0;
  snprintf(path, sizeof path, "%s/%s", directory, fault);
  return access(path, F_OK) == 0;
}

/* Only the files of the ledger: whatever else a process keeps is on another disk. */
static int is_ledger(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return strstr(path, "/ledger.db") != NULL;
}

static int synced(int fd, const char *how) {
  if (is_ledger(fd)) {
    struct timespec pause = {0, 30 * 1000 * 1000};
    if (told("sync-is-slow")) nanosleep(&pause, NULL);
    if (told("sync-fails")) {
      errno = EIO;
      return -1;
    }
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, how);
  return real(fd);
}

int fsync(int fd) { return synced(fd, "fsync"); }

int fdatasync(int fd) { return synced(fd, "fdatasync"); }

/* As after a disk error on a file system that is mounted with errors=remount-ro, and as by a quota that is used up. */
static int is_refused(int fd) {
  if (!is_ledger(fd)) return 0;
  if (told("is-read-only")) errno = EROFS;
  else if (told("is-over-quota")) errno = EDQUOT;
  else return 0;
  return 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  if (is_refused(fd)) return -1;
  ssize_t (*real)(int, const void *, size_t, off_t) =
      (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  return real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  if (is_refused(fd)) return -1;
  ssize_t (*real)(int, const void *, size_t, off64_t) =
      (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return real(fd, bytes, length, at);
}

int statfs(const char *path, struct statfs *found) {
  int (*real)(const char *, struct statfs *) = (int (*)(const char *, struct statfs *))dlsym(RTLD_NEXT, "statfs");
  int result = real(path, found);
  if (result == 0 && told("is-nfs")) found->f_type = NFS;
  return result;
}

int statfs64(const char *path, struct statfs64 *found) {
  int (*real)(const char *, struct statfs64 *) = (int (*)(const char *, struct statfs64 *))dlsym(RTLD_NEXT, "statfs64");
  int result = real(path, found);
  if (result == 0 && told("is-nfs")) found->f_type = NFS;
  return result;
}
