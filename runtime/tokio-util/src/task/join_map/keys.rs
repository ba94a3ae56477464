//! The keys of a `JoinMap`, by their hash.

use std::collections::{HashMap, hash_map};
use std::hash::{BuildHasherDefault, Hasher};
use std::iter::FusedIterator;
use std::marker::PhantomData;

use pollscope_tokio::task::AbortHandle;

/// The keys of one hash, each with its task: mostly one.
type Bucket<K> = Vec<(K, AbortHandle)>;
pub(super) type BucketHasher = BuildHasherDefault<AsIs>;
pub(super) type Buckets<K> = HashMap<u64, Bucket<K>, BucketHasher>;

/// What is hashed is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only numbers of 64 bits come here; any other would do, only worse.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The keys of a [`JoinMap`](super::JoinMap), in no order.
#[derive(Clone, Debug)]
pub struct JoinMapKeys<'a, K, V> {
    buckets: hash_map::Values<'a, u64, Bucket<K>>,
    bucket: std::slice::Iter<'a, (K, AbortHandle)>,
    left: usize,
    output: PhantomData<&'a V>,
}

impl<'a, K, V> JoinMapKeys<'a, K, V> {
    pub(super) fn new(buckets: &'a Buckets<K>, len: usize) -> Self {
        Self {
            buckets: buckets.values(),
            bucket: [].iter(),
            left: len,
            output: PhantomData,
        }
    }
}

impl<'a, K, V> Iterator for JoinMapKeys<'a, K, V> {
    type Item = &'a K;

    fn next(&mut self) -> Option<&'a K> {
        loop {
            if let Some((key, _)) = self.bucket.next() {
                self.left -= 1;
                return Some(key);
            }
            self.bucket = self.buckets.next()?.iter();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for JoinMapKeys<'_, K, V> {}

impl<K, V> FusedIterator for JoinMapKeys<'_, K, V> {}
