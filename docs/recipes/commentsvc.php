<?php
/**
 * Plugin Name: Comments by commentsvc
 * Description: Shows the threads of your comment service in place of WordPress's comments. Set it up in wp-config.php.
 *
 * Put this file into wp-content/mu-plugins/; docs/recipes/wordpress.md describes it. It changes nothing in the database
 * but transients, and has no form or address of its own that would need a nonce.
 */

defined( 'ABSPATH' ) || exit;

if ( defined( 'COMMENTSVC_STARTED' ) ) { // included again by WordPress, as the theme's template of comments
	echo Commentsvc::thread(); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped where it is written
	return;
}

final class Commentsvc {
	/** Seconds for which an answer of the service is used, and after which a failed request is tried again. */
	const FRESH = 300;
	const PAUSE = 60;

	/** Blocks in whose place the thread appears: WordPress 6.1, 6.0 and 5.9 call them by different names. */
	const BLOCKS = array( 'core/comments', 'core/comments-query-loop', 'core/post-comments' );

	public static function start() {
		add_action( 'wp_enqueue_scripts', array( self::class, 'add_script' ) );
		add_filter( 'comments_template', array( self::class, 'template' ), 99 );
		add_filter( 'pre_render_block', array( self::class, 'block' ), 10, 2 );
		add_filter( 'get_comments_number', array( self::class, 'number' ), 10, 2 );
		add_filter( 'preprocess_comment', array( self::class, 'refuse' ), 1 );
		add_filter( 'rest_pre_insert_comment', array( self::class, 'refuse_rest' ), 1 );
		add_filter( 'pings_open', array( self::class, 'pings_open' ), 10, 2 );
		add_filter( 'feed_links_show_comments_feed', '__return_false' );
		add_filter( 'feed_links_extra_show_post_comments_feed', '__return_false' );
		add_action( 'wp_head', array( self::class, 'print_feeds' ) );
		add_action( 'template_redirect', array( self::class, 'redirect_feed' ), 1 );
		add_action( 'template_redirect', array( self::class, 'keep_out_of_caches' ), 1 );
	}

	/** Whether the comments of this article are with the service, and no longer with WordPress. */
	private static function handles( $post ) {
		$types = apply_filters( 'commentsvc_post_types', array( 'post', 'page' ) );
		return $post instanceof WP_Post && in_array( $post->post_type, $types, true );
	}

	/** Return the article of this page if it has a thread. A thread is public, so what is not public has none. */
	private static function article() {
		$post = is_singular() ? get_queried_object() : null;
		$has  = self::handles( $post ) && '' === $post->post_password && is_post_publicly_viewable( $post )
			&& ( 'open' === $post->comment_status || get_comments_number( $post ) > 0 );
		return $has ? $post : null;
	}

	private static function service( $path = '', $query = array() ) {
		$question = $query ? '?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 ) : '';
		return untrailingslashit( COMMENTSVC_URL ) . $path . $question;
	}

	/** The element of the thread; themes link to #comments and #respond. */
	public static function thread() {
		$post = self::article();
		if ( ! $post ) {
			return '';
		}
		$url   = get_permalink( $post );
		$token = self::token();
		$alone = self::service( '/thread', array( 'url' => $url ) );
		return '<div id="comments" class="comments-area default-max-width"><a id="respond"></a>'
			. '<comment-thread url="' . esc_url( $url ) . '" page-title="' . esc_attr( wp_strip_all_tags( get_the_title( $post ) ) ) . '"'
			. ( $token ? ' sso="' . esc_attr( $token ) . '"' : '' ) . '>'
			. self::fragment( $post, $url )
			. '<noscript><p><a href="' . esc_url( $alone ) . '">' . esc_html__( 'Comments' ) . '</a></p></noscript>'
			. '</comment-thread></div>';
	}

	/** Classic themes: WordPress includes the file whose path this returns. */
	public static function template( $path ) {
		return self::handles( get_queried_object() ) && is_singular() ? __FILE__ : $path;
	}

	/** Block themes: what this returns stands in place of the block, which is then not rendered at all. */
	public static function block( $html, $block ) {
		if ( ! is_singular() || ! self::handles( get_queried_object() ) ) {
			return $html;
		}
		if ( in_array( $block['blockName'], self::BLOCKS, true ) ) {
			return self::thread();
		}
		return 'core/post-comments-form' === $block['blockName'] ? '' : $html;
	}

	public static function add_script() {
		if ( self::article() ) {
			// Without a version: WordPress's own would make browsers fetch the script anew after each of its updates.
			$options = array( 'strategy' => 'async', 'in_footer' => true );
			wp_enqueue_script( 'commentsvc', self::service( '/embed.js' ), array(), null, $options ); // phpcs:ignore
		}
	}

	/** The number of comments, for the theme's own words; WordPress's number until the service has answered once. */
	public static function number( $number, $post_id ) {
		$post = get_post( $post_id );
		if ( is_admin() || ! self::handles( $post ) || 'publish' !== $post->post_status ) {
			return $number;
		}
		// One request for all articles of a list.
		$posts = array_filter( $GLOBALS['wp_query']->posts ?? array(), array( self::class, 'handles' ) );
		$urls  = array();
		foreach ( array_slice( array_merge( array( $post ), $posts ), 0, 100 ) as $listed ) {
			if ( 'publish' === $listed->post_status && self::is_old( get_transient( 'commentsvc_n' . $listed->ID ) ) ) {
				$urls[ $listed->ID ] = get_permalink( $listed );
			}
		}
		if ( isset( $urls[ $post->ID ] ) ) {
			$counts = json_decode( self::get( '/counts?url=' . implode( '&url=', array_map( 'rawurlencode', $urls ) ) ), true );
			foreach ( $urls as $id => $url ) {
				self::store( 'commentsvc_n' . $id, is_int( $counts[ $url ] ?? null ) ? $counts[ $url ] : null );
			}
		}
		$stored = get_transient( 'commentsvc_n' . $post->ID );
		return isset( $stored['value'] ) ? $stored['value'] : $number;
	}

	/** The comments as HTML for search engines, which embed.js replaces; only if wp-config.php asks for it. */
	private static function fragment( $post, $url ) {
		if ( ! defined( 'COMMENTSVC_FRAGMENT' ) || ! COMMENTSVC_FRAGMENT ) {
			return '';
		}
		$key = 'commentsvc_f' . $post->ID;
		if ( self::is_old( get_transient( $key ) ) ) {
			self::store( $key, self::get( '/fragment?url=' . rawurlencode( $url ) ) ?: null );
		}
		return get_transient( $key )['value'] ?? '';
	}

	/** Return the body of the service's answer, '' if there is none. */
	private static function get( $path ) {
		$answer = wp_remote_get( self::service( $path ), array( 'timeout' => 2, 'limit_response_size' => 4194304 ) );
		return is_wp_error( $answer ) || 200 !== wp_remote_retrieve_response_code( $answer )
			? '' : wp_remote_retrieve_body( $answer );
	}

	private static function is_old( $stored ) {
		return ! is_array( $stored ) || $stored['until'] < time();
	}

	/** Keep a value; without one (null), keep the last one for up to a day, and let the service rest for a minute. */
	private static function store( $key, $value ) {
		$last     = get_transient( $key );
		$is_new   = null !== $value;
		$answered = $is_new ? time() : ( $last['answered'] ?? 0 );
		if ( ! $is_new && $answered > time() - DAY_IN_SECONDS ) {
			$value = $last['value'];
		}
		$until = time() + ( $is_new ? self::FRESH : self::PAUSE );
		set_transient( $key, compact( 'value', 'answered', 'until' ), 2 * DAY_IN_SECONDS );
	}

	/** The form's address, XML-RPC, trackbacks and replies in wp-admin still take comments, which nobody would see. */
	public static function refuse( $comment ) {
		if ( self::handles( get_post( $comment['comment_post_ID'] ?? 0 ) ) ) {
			wp_die( 'Comments are written below the article.', '', array( 'response' => 403 ) );
		}
		return $comment;
	}

	public static function refuse_rest( $comment ) {
		$id = is_array( $comment ) ? ( $comment['comment_post_ID'] ?? 0 ) : 0;
		return self::handles( get_post( $id ) )
			? new WP_Error( 'commentsvc', 'Comments are written below the article.', array( 'status' => 403 ) ) : $comment;
	}

	public static function pings_open( $open, $post_id ) {
		return $open && ! self::handles( get_post( $post_id ) );
	}

	/** The address of the feed of this article's comments, or of all comments. */
	private static function feed( $post ) {
		if ( $post ) {
			return self::service( '/feeds/thread.atom', array( 'url' => get_permalink( $post ) ) );
		}
		$home = wp_parse_url( home_url() );
		$port = isset( $home['port'] ) ? ':' . $home['port'] : '';
		return self::service( '/feeds/site.atom', array( 'origin' => $home['scheme'] . '://' . $home['host'] . $port ) );
	}

	public static function print_feeds() {
		$line = '<link rel="alternate" type="application/atom+xml" title="%s" href="%s">' . "\n";
		printf( $line, esc_attr__( 'Comments' ), esc_url( self::feed( self::article() ) ) ); // phpcs:ignore
	}

	/** Feeds of WordPress's comments would stay at the last old one. */
	public static function redirect_feed() {
		if ( ! is_comment_feed() ) {
			return;
		}
		$post = is_singular() ? get_queried_object() : null;
		if ( $post && ! self::article() ) {
			return;
		}
		wp_redirect( self::feed( $post ), 302, 'commentsvc' ); // phpcs:ignore -- an address of wp-config.php
		exit;
	}

	/** Sign who is logged in, for this one reader; see docs/sso.md. No e-mail address: plugins let people enter any. */
	private static function token() {
		if ( ! is_user_logged_in() || ! defined( 'COMMENTSVC_SSO_SECRET' ) || ! COMMENTSVC_SSO_SECRET ) {
			return '';
		}
		$user  = wp_get_current_user();
		$now   = time();
		$who   = array(
			'sub'  => (string) $user->ID,
			'name' => mb_substr( $user->display_name, 0, 80 ),
			'aud'  => self::service(),
			'iat'  => $now,
			'exp'  => $now + 300,
		);
		$who  += preg_match( '~^https?://~', $user->user_url ) ? array( 'url' => $user->user_url ) : array();
		$part  = function ( $data ) {
			return rtrim( strtr( base64_encode( $data ), '+/', '-_' ), '=' );
		};
		$body  = $part( '{"alg":"HS256"}' ) . '.' . $part( wp_json_encode( $who ) );
		return $body . '.' . $part( hash_hmac( 'sha256', $body, COMMENTSVC_SSO_SECRET, true ) );
	}

	/** A page with a token is for one person: no shared cache may keep it, nor a plugin that caches pages. */
	public static function keep_out_of_caches() {
		if ( self::article() && self::token() ) {
			defined( 'DONOTCACHEPAGE' ) || define( 'DONOTCACHEPAGE', true );
			nocache_headers();
			header( 'Cache-Control: private, no-store' );
		}
	}
}

if ( defined( 'COMMENTSVC_URL' ) && preg_match( '~^https?://~', COMMENTSVC_URL ) ) {
	define( 'COMMENTSVC_STARTED', true );
	Commentsvc::start();
}
