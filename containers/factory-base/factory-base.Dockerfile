# The container of a workspace: the engine host, patchctl for the agents that work in it, and the factories' templates.
#   docker build -f containers/factory-base/factory-base.Dockerfile -t factory-base:local .
# docs/container.md tells how it is run. Nothing secret is built in: ENGINE_TOKEN comes with each start.

# The CLI agents, each at the version of image/agents/package.json. `--build-arg AGENTS=none` leaves them out (1 GB).
ARG AGENTS=npm

# What runs, and changes least.
FROM node:22-bookworm-slim AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git ripgrep tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
# pnpm, npm and the like have no business in a workspace's container.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
  /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*

FROM node:22-bookworm-slim AS agents-npm
WORKDIR /opt/agents
COPY containers/factory-base/image/agents/package.json ./
RUN npm install --no-audit --no-fund --no-package-lock --loglevel=error \
  && for agent in codex gemini claude copilot; do "node_modules/.bin/$agent" --version || exit 1; done \
  && rm -rf /root/.npm
FROM node:22-bookworm-slim AS agents-none
RUN mkdir -p /opt/agents/node_modules/.bin
FROM agents-${AGENTS} AS agents

# Cursor's agent comes from its vendor alone: the build argument is the address of the vendor's installer, which puts
# the program below its home. Without it there is none.
FROM runtime AS cursor
ARG CURSOR_INSTALLER=
RUN mkdir -p /opt/cursor/.local/bin \
  && if [ -n "$CURSOR_INSTALLER" ]; then \
    apt-get update && apt-get install -y --no-install-recommends curl \
    && curl --fail --silent --show-error --location "$CURSOR_INSTALLER" --output /tmp/install \
    && HOME=/opt/cursor bash /tmp/install && test -x /opt/cursor/.local/bin/agent; fi

# What bundles. Manifests first, so that a change of code installs nothing anew.
FROM node:22-bookworm-slim AS bundle
WORKDIR /build
COPY package.json pnpm-workspace.yaml pnpm-lock.yaml ./
RUN npm install --global --loglevel=error "pnpm@$(sed -n 's/^  pnpm: //p' pnpm-workspace.yaml)"
COPY @shared/contracts/package.json @shared/contracts/
COPY containers/patch-engine/package.json containers/patch-engine/
COPY containers/factory-base/package.json containers/factory-base/
# --prod leaves out what only tests and checks need, and all of the root's. A download that stalls is tried again soon.
RUN pnpm install --prod --frozen-lockfile --ignore-scripts --config.fetchTimeout=10000 --filter factory-base...
COPY tsconfig.base.json ./
COPY @shared/contracts @shared/contracts
COPY containers containers
RUN node containers/factory-base/image/bundle.ts /out
# Each app's template/ and nothing else of it.
COPY apps apps
RUN mkdir /templates \
  && for template in apps/*/template; do cp -R "$template" "/templates/$(basename "$(dirname "$template")")"; done

FROM runtime
COPY --from=agents /opt/agents /opt/agents
COPY --from=cursor /opt/cursor /opt/cursor
ENV PATH=$PATH:/opt/agents/node_modules/.bin:/opt/cursor/.local/bin
ENV NODE_ENV=production \
  NODE_COMPILE_CACHE=/var/cache/vibehq \
  ENGINE_HOST=0.0.0.0 \
  ENGINE_PORT=8080 \
  ENGINE_DATA=/data \
  ENGINE_DRAIN_MS=10000 \
  AGENT_CONTAINED=1 \
  VIBEHQ_TEMPLATES=/opt/vibehq/templates
RUN install -d -o node -g node /data /var/cache/vibehq
COPY --from=bundle /out /opt/vibehq
RUN ln -s /opt/vibehq/patchctl/cli/patchctl.cjs /usr/local/bin/patchctl
USER node
# Compiles once, here: no start of the host and no call of patchctl compiles again. It shows, too, that both load.
RUN cd "$(mktemp -d)" && mkdir .mission_control && echo 'export const one = 1;' >a.ts \
  && patchctl append --file a.ts --block 'export const two = 2;' && patchctl log && patchctl verify \
  && { echo '{"patches":[{"op":"delete-file","file":"a.ts"}],"requester":"image","reason":"build"}' | patchctl apply -; } \
  && rm -rf "$PWD" \
  && ENGINE_TEMPLATES=none=/none ENGINE_TOKEN=build ENGINE_PORT=0 ENGINE_STOP_WITH_STDIN=1 node /opt/vibehq/container.js </dev/null
COPY --from=bundle /templates /opt/vibehq/templates
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
  CMD ["env", "-u", "ENGINE_TOKEN", "-u", "ORCHESTRATOR_TOKEN", "node", "-e", "fetch(`http://127.0.0.1:${process.env.ENGINE_PORT}/readyz`).then(({ok})=>process.exit(ok?0:1),()=>process.exit(1))"]
# tini takes in what agents leave behind: Node as the first process would keep every zombie.
# Before it the shell, which becomes tini: what stays in an environment, /proc shows to every agent.
ENTRYPOINT ["/bin/sh", "/opt/vibehq/start.sh", "tini", "--"]
CMD ["node", "/opt/vibehq/container.js"]
