using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Http;

/// <summary>A bill on its way: bounded in bytes and in the time without any. Its end is the response's.</summary>
internal sealed class BillStream(HttpResponseMessage response, Stream inner, long maxBytes, TimeSpan stall, TimeProvider clock) : Stream
{
    private long taken;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => taken; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var stalled = new CancellationTokenSource(stall, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellationToken);
        try
        {
            var read = await inner.ReadAsync(buffer, either.Token);
            taken += read;
            return taken <= maxBytes ? read : throw new BillException($"the bill is larger than {maxBytes} bytes (Channels:Http:MaxBillBytes)");
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new BillException($"the connection ended inside the bill, after {Position} bytes", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BillException($"the bill stalled for {stall} after {Position} bytes", e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("bills are read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            response.Dispose();
        }

        base.Dispose(disposing);
    }
}
