/** Number types named for what they count. They know nothing else. */

/** Whole seconds: TTLs (RFC 2181 section 8) and SOA timers. */
export type Seconds = number;
/** Milliseconds of a monotonic clock, or a span of them. */
export type Milliseconds = number;
/** Octets. */
export type Bytes = number;
/** How many of something. */
export type Count = number;
