# A container of backlinkd. config/container/compose.yaml runs it behind a TLS proxy.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends clang libclang-dev
ENV CC=clang CXX=clang++ CARGO_TARGET_DIR=/target
WORKDIR /source
COPY . .
RUN cargo build --locked --profile dist && strip -o /backlinkd /target/dist/backlinkd

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -m 0700 /data && chown 65532:65532 /data
COPY --from=build /backlinkd /usr/bin/backlinkd
COPY LICENSE /usr/share/doc/backlinkd/LICENSE
USER 65532:65532
ENV BACKLINKD_DATA=/data
VOLUME /data
EXPOSE 8080
# An index of an earlier format is upgraded at the start, which may take minutes.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m CMD ["backlinkd", "ping"]
ENTRYPOINT ["backlinkd"]
# Other machines reach this address, so a user is needed: api.user_file, or `backlinkd user add` beside it.
CMD ["run", "--listen", "0.0.0.0:8080"]
