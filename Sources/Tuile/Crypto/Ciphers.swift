import CSystem

/// AES-GCM, with a key of 256 bits unless another cipher is named, a nonce of 12 bytes and a
/// tag of 16 (NIST SP 800-38D), by libcrypto. What it points to is the caller's.
struct AEAD {
  private let with: sys_cipher_key

  init(_ cipher: sys_cipher = SYS_AES_256_GCM, key: UnsafePointer<UInt8>, nonce: UnsafePointer<UInt8>) {
    with = sys_cipher_key(cipher: cipher, key: key, iv: nonce, kept: nil)
  }

  /// `key` of a cipher that is an AEAD.
  init(_ key: sys_cipher_key) { with = key }

  /// Appends the sealed text and writes its tag. `known` is signed with it.
  func seal(
    _ text: Bytes, known: Bytes = Bytes(), to out: inout ByteBuffer, tag: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    var done = false
    let filled = out.fill(text.count) { start in
      done = sys_aead_seal(with, known.lent, text.lent, start, tag)
      return text.count
    }
    guard filled, done else { throw .memory }
  }

  /// Appends the text if the tag is right; else nothing, and false.
  func open(
    _ sealed: Bytes, known: Bytes = Bytes(), tag: UnsafePointer<UInt8>, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var answer: Int32 = -1
    let filled = out.fill(sealed.count) { start in
      answer = sys_aead_open(with, known.lent, sealed.lent, start, tag)
      return answer == 1 ? sealed.count : 0
    }
    guard filled, answer >= 0 else { throw .memory }
    return answer == 1
  }
}

extension sys_cipher {
  /// As that of a key, with one for this text alone.
  func run(
    encrypt: Bool, _ text: Bytes, key: UnsafePointer<UInt8>, iv: UnsafePointer<UInt8>, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    try sys_cipher_key(cipher: self, key: key, iv: iv, kept: nil).run(encrypt: encrypt, text, to: &out)
  }
}

extension sys_cipher_key {
  /// Appends what the cipher makes of `text`: CTR either way, CBC with its padding.
  /// false if the padding is wrong, or libcrypto fails.
  func run(encrypt: Bool, _ text: Bytes, to out: inout ByteBuffer) throws(Failure) -> Bool {
    var size = -1
    let filled = out.fill(text.count &+ 16) { start in
      size = sys_cipher_run(self, encrypt, text.lent, start)
      return max(0, size)
    }
    guard filled else { throw .memory }
    return size >= 0
  }
}

/// Keys that each make many tokens, ready to be used: what a key costs to set is paid once, and
/// not for each token. Any thread may use them. Wiped when they go.
struct CipherKeys: ~Copyable {
  private let keys: UnsafeMutablePointer<sys_kept_key>
  private let count: Int

  /// nil without memory. `count` keys, all to be set but those that are never used.
  init?(count: Int) {
    guard count >= 0, count < 1 << 16, let raw = calloc(max(1, count), MemoryLayout<sys_kept_key>.stride) else {
      return nil
    }
    keys = raw.assumingMemoryBound(to: sys_kept_key.self)
    self.count = count
    sys_ciphers_fetch()
  }

  deinit {
    sys_kept_keys_wipe(keys, count)
    free(keys)
  }

  /// A key of the cipher's size, at most 32 bytes.
  func set(_ index: Int, _ cipher: sys_cipher, key: Bytes) {
    guard index >= 0, index < count else { return }
    keys[index].cipher = cipher
    withUnsafeMutableBytes(of: &keys[index].key) { room in
      room.baseAddress?.assumingMemoryBound(to: UInt8.self).copy(key.slice(0, room.count))
    }
  }

  /// For one token, with its IV or nonce. What it points to lives as long as these keys and the IV.
  func key(_ index: Int, iv: UnsafePointer<UInt8>) -> sys_cipher_key {
    let kept = keys + max(0, min(index, count &- 1))
    return sys_cipher_key(cipher: kept.pointee.cipher, key: nil, iv: iv, kept: kept)
  }
}
