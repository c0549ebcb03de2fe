# fivedots takes the arguments of CoreDNS: docker run … fivedots -conf /etc/coredns/Corefile
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# --ignore-scripts: the devDependency `node` is not needed here, and koffi's script only looks whether its library is there.
RUN npm ci --omit=dev --ignore-scripts
# As in CoreDNS's image: a process that is not root may open port 53.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libcap2-bin \
 && setcap cap_net_bind_service=+ep /usr/local/bin/node

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libstdc++6 ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY package.json ./
COPY zones zones
COPY server server
COPY fixtures/corefiles/demo fixtures/corefiles/demo
COPY fixtures/clusters/demo fixtures/clusters/demo
# Node strips the types at start; the compile cache saves that work and 17 MiB. Its folder is named for the uid, so it is
# warmed as the user that runs and with the options that it runs with, and must be there before the root file system becomes read-only.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
# glibc would keep a heap for each of Node's threads.
ENV MALLOC_ARENA_MAX=1
RUN mkdir .compile-cache && chown 65532:65532 .compile-cache
USER 65532:65532
RUN ["/usr/local/bin/node", "--enable-experimental-regexp-engine", "--max-semi-space-size=2", "--heap-growing-percent=40", "--expose-gc", "/app/server/main.ts", "--check"]
EXPOSE 53/udp 53/tcp 9153/tcp
# The three for V8's heap cost no CPU for what is answered at once and save 90 MiB with 100,000 endpoints, 120 MiB under load (PERFORMANCE.md).
# Without --disable-sigusr1, which would block that signal: it reloads, as in CoreDNS, and server/main.ts keeps the inspector closed. Patterns of `errors` run in the engine that cannot backtrack.
ENTRYPOINT ["/usr/local/bin/node", "--enable-experimental-regexp-engine", "--max-semi-space-size=2", "--heap-growing-percent=40", "--expose-gc", "/app/server/main.ts"]
