import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/** A JVM that loads the library by JNI: both have their faults, and each gets its own. Host LIBRARY DATABASE OTHER. */
public class Host {
    static native long open(String path);
    static native int get(long reader, String key);

    /** A null check without a comparison: the processor's fault is what tells. */
    static int lengthOf(String text) {
        try {
            return text.length();
        } catch (NullPointerException error) {
            return -1;
        }
    }

    static void need(boolean isTrue, String what) {
        if (!isTrue) throw new AssertionError(what);
    }

    static void cut(String path) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(path, "rw")) {
            file.setLength(4096);
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.load(arguments[0]);
        for (int round = 0; round < 20_000; round++) need(lengthOf(round % 2 == 0 ? null : "four") == (round % 2 == 0 ? -1 : 4), "null check");
        long reader = open(arguments[1]);
        need(reader != 0 && get(reader, "key-4999") == 0, "open");
        cut(arguments[1]);
        int truncated = 0;
        for (int i = 0; i < 5000; i++) if (get(reader, "key-" + i) == -4) truncated++;
        need(truncated > 4000, "truncated " + truncated);
        try (RandomAccessFile file = new RandomAccessFile(arguments[2], "rw")) {
            file.setLength(65536);
            MappedByteBuffer bytes = file.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, 65536);
            file.setLength(4096);
            boolean isReported = false;
            try {
                long sum = 0;
                for (int i = 0; i < 65536; i++) sum += bytes.get(i);
                Thread.sleep(sum & 1);
            } catch (InternalError error) {
                isReported = true;
            }
            need(isReported, "the JVM's own fault");
        }
        for (int round = 0; round < 20_000; round++) need(lengthOf(round % 2 == 0 ? null : "four") == (round % 2 == 0 ? -1 : 4), "null check");
        System.out.println("survived");
    }
}
