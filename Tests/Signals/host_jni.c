/* What Host.java calls. */
#include <fusedb.h>
#include <jni.h>

JNIEXPORT jlong JNICALL Java_Host_open(JNIEnv *env, jclass class, jstring path) {
  (void)class;
  const char *text = (*env)->GetStringUTFChars(env, path, NULL);
  fuse_reader *reader = NULL;
  fuse_reader_open(text, strlen(text), NULL, NULL, &reader, NULL);
  (*env)->ReleaseStringUTFChars(env, path, text);
  return (jlong)(intptr_t)reader;
}

JNIEXPORT jint JNICALL Java_Host_get(JNIEnv *env, jclass class, jlong reader, jstring key) {
  (void)class;
  const char *text = (*env)->GetStringUTFChars(env, key, NULL);
  fuse_span value;
  fuse_status status = fuse_get((const fuse_reader *)(intptr_t)reader, text, strlen(text), &value, NULL);
  (*env)->ReleaseStringUTFChars(env, key, text);
  return status;
}
