// What was sent on the streams of one session, so that a stream that was cut off can be resumed.

export class EventStore {
  #events = [];

  async storeEvent(stream, message) {
    const id = `${stream}/${this.#events.length}`;
    this.#events.push({ id, stream, message });
    return id;
  }

  async getStreamIdForEventId(id) {
    return this.#events.find((event) => event.id === id)?.stream;
  }

  async replayEventsAfter(last, { send }) {
    const at = this.#events.findIndex((event) => event.id === last);
    if (at < 0) throw new Error(`no such event: ${last}`);
    const { stream } = this.#events[at];
    for (const event of this.#events.slice(at + 1)) {
      // The event that opens a stream has no message.
      if (event.stream === stream && event.message?.jsonrpc) await send(event.id, event.message);
    }
    return stream;
  }
}
