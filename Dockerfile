# One image for SageMaker (train and serve) and Vertex AI (serve); docs/api-serving.md.
FROM golang:1.26-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make build
RUN scripts/image /trilobite

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 && rm -rf /var/lib/apt/lists/*
COPY --from=build /trilobite /trilobite
ENV PATH=/trilobite/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV TRILOBITE_HOME=/trilobite/home
ENV TRILOBITE_PACKAGES=/trilobite/packages
ENV TRILOBITE_CONTAINER=true
EXPOSE 8080
ENTRYPOINT ["trilobite"]
CMD ["serve"]
