export { listenOnSocket, type SocketHost, type SocketServer } from "./socket.ts";
export { POINTER, type HostPointer } from "./wire.ts";
