# Heliograph on Debian, because the embedded engine needs glibc. Built by compose.yaml, or:
#   docker build -t heliograph . && docker run -p 7070:7070 -p 4317:4317 -p 4318:4318 -e HELIOGRAPH_TOKEN=<token> heliograph
FROM node:24-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:24-bookworm-slim
# git for the histories that are collected, certificates for repositories and webhooks beyond this machine.
RUN apt-get update \
 && apt-get install -y --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app /app
RUN install -d -o node -g node /var/lib/heliograph
USER node
ENV NODE_ENV=production
# Beyond loopback Heliograph starts only with a HELIOGRAPH_TOKEN.
ENV HELIOGRAPH_BIND=0.0.0.0
ENV HELIOGRAPH_DATA_DIR=/var/lib/heliograph
VOLUME /var/lib/heliograph
EXPOSE 7070 4317 4318
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "scripts/healthcheck.mjs", "http://127.0.0.1:7070/healthz"]
ENTRYPOINT ["node", "dist/app/main.js"]
CMD ["serve"]
