# hpvqa with Isaac Lab 3, PhysX and PyTorch for CUDA: what `make isaac` makes, in an image.
#   docker build -f docker/isaac.Dockerfile -t hpvqa-isaac .
#   docker run --rm --gpus all -v "$PWD/data:/data" hpvqa-isaac \
#       collect push drop --backend isaac --physics ovphysx --out /data
# PhysX is NVIDIA's, under licences that lie in its packages: building the image is your step, read them.
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libegl1 libgl1 libglu1-mesa libgomp1 libx11-6 libxt6 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/hpvqa
COPY . .
RUN PYTHON=python3.12 PIP_NO_CACHE_DIR=1 bash scripts/isaac.sh
# The robot's model is fetched, and made a USD file, the first time; a volume here keeps it.
ENV HPVQA_CACHE=/cache NVIDIA_DRIVER_CAPABILITIES=all
ENTRYPOINT ["/opt/hpvqa/.venv-isaac/bin/hpvqa"]
CMD ["--help"]
