/** How a kafkajs client reaches the brokers: addresses, TLS, login, patience, and silence on stdout. */
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import type { KafkaConfig as ClientConfig, ISocketFactory, LogEntry } from "kafkajs";
import { ConnectorError, errorText } from "../domain/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { KafkaConfig, TlsConfig } from "./config.ts";
import { logLevel } from "./kafkajs.ts";
import { saslOptions } from "./sasl.ts";

/**
 * Patience with a broker that is away: about 40 s, then kafkajs crashes and starts anew. With its default of 5 retries both
 * members of a group crashed when one broker died.
 */
export const RETRY = { retries: 8, maxRetryTime: 10_000 };

const CONNECTION_TIMEOUT_MS = 10_000; // kafkajs's 1 s is too short for a TLS handshake with a busy broker
const KEEP_ALIVE_MS = 60_000;

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Gets kafkajs's warnings and errors; they go nowhere else. */
  readonly onLog?: (entry: LogEntry) => void;
}

export const clientConfig = (config: KafkaConfig, { clock, onLog = () => {} }: ConnectionOptions): ClientConfig => ({
  brokers: [...config.brokers],
  clientId: config.clientId,
  connectionTimeout: CONNECTION_TIMEOUT_MS,
  retry: RETRY,
  logLevel: logLevel.WARN,
  logCreator: () => onLog,
  ...(config.tls?.enabled && { ssl: true, socketFactory: tlsSockets(config.tls) }),
  ...(config.sasl && { sasl: saslOptions(config.sasl, clock) }),
});

/** Reads the PEM files for each connection, so that rotated certificates are used from the next one on. */
const tlsSockets =
  (files: TlsConfig): ISocketFactory =>
  ({ host, port, onConnect }) => {
    const socket = tls.connect(
      {
        host,
        port,
        minVersion: "TLSv1.2",
        ...(net.isIP(host) ? {} : { servername: host }),
        ...(files.caFile !== undefined && { ca: pem("caFile", files.caFile) }),
        ...(files.certFile !== undefined && { cert: pem("certFile", files.certFile) }),
        ...(files.keyFile !== undefined && { key: pem("keyFile", files.keyFile) }),
      },
      onConnect,
    );
    return socket.setKeepAlive(true, KEEP_ALIVE_MS);
  };

const pem = (name: string, path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConnectorError(
      "TLS_FILE_UNREADABLE",
      `kafka.tls.${name}: ${errorText(cause)}; mount it or correct the path.`,
      {
        retriable: false,
        cause,
      },
    );
  }
};
