using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>One call of a client: what it sent, and what a dialect made of it.</summary>
internal sealed class Call(HttpContext context, ReadOnlyMemory<byte> body, Draft reply)
{
    public const string Xml = "text/xml; charset=utf-8";
    public const string Json = "application/json; charset=utf-8";

    public HttpContext Context => context;

    public HttpRequest Request => context.Request;

    public ReadOnlyMemory<byte> Body => body;

    /// <summary>The answer; the dialect signs what is in it.</summary>
    public Draft Reply => reply;

    public int Status { get; set; } = 200;

    public string ContentType { get; set; } = Json;

    /// <summary>How the answer travels, and how it is signed.</summary>
    public Fault? Fault { get; set; }

    /// <summary>Written instead of <see cref="Reply"/>: what does not fit into memory.</summary>
    public Func<Stream, CancellationToken, Task>? Stream { get; set; }

    public bool SpoilsSignature => Fault?.Answer == Answer.BadSignature;

    public bool LacksSignature => Fault?.Answer == Answer.NoSignature;
}

/// <summary>One channel's way of speaking.</summary>
internal interface IDialect
{
    /// <summary>Null: the path is not its own.</summary>
    Api? ApiOf(string path);

    /// <summary>Checks, does and answers a call.</summary>
    void Answer(Call call, Api api);
}
