// SPDX-License-Identifier: MIT

/** CRC-32 as zlib has it, bit by bit: the zlib of Node.js 18 does not offer its own. */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of Buffer.from(bytes)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
