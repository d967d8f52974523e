"""What programs that use chunkstore, rsdos or UniCache call, over a store of ours: the same names and arguments, in a module for each.

    from fusedb_swift.compat.chunkstore import ChunkStore, FilesystemBackend
    from fusedb_swift.compat.rsdos import Container
    from fusedb_swift.compat.unicache import UniCache

Each says where it does otherwise. What they keep is a store like any other: `fusedb store` works with it, and so does fusedb_swift.store.
Stores that those programs made are taken over by `fusedb store import`. Downloads and S3 are not there yet, and say so.
"""
