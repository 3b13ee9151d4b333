import { createServer } from "node:net";
import { StartError } from "./options.ts";
import { portInUse } from "./workers.ts";

/** The port to use on the loopback interface: the wanted one if it is free, any free one for 0. Throws a StartError. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(
          error.code === "EADDRINUSE" ? portInUse(wanted) : `Port ${wanted} cannot be used (${error.code}).`,
        ),
      ),
    );
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}
